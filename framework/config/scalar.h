// From the text of one scalar to a typed value, without locale and without guessing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "amae/options.h"
#include "config/tree.h"

namespace amae::config {

/// Code and message of a Problem whose place the caller knows.
struct Mistake {
  std::string code;
  std::string message;
};

/// Reads `node` as one value of `field` (one element, when the field is a list) into `out`, which a mistake leaves as
/// it is. Paths become absolute.
std::optional<Mistake> read_scalar(const Node& node, const Field& field, bool& out);
std::optional<Mistake> read_scalar(const Node& node, const Field& field, int64_t& out);
std::optional<Mistake> read_scalar(const Node& node, const Field& field, double& out);
std::optional<Mistake> read_scalar(const Node& node, const Field& field, std::string& out);

/// "an integer in 1..100000 Hz", "a list of numbers >= 0", "one of adam, sgd", "the name of a model": what a field
/// takes.
std::string expected_text(const Field& field);

/// A bound as a person writes it: "100000", not "1e+05".
std::string bound_text(double bound);

}  // namespace amae::config
