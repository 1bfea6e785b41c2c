// Between trees and options structs: strict reading, writing back, schema.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "amae/options.h"
#include "config/tree.h"

namespace amae::config {

/// Reads the map `node` into `fields` (dotted field names are nested maps). `path` is the dotted path of the node for
/// messages ("" at the top; "model" …). Keys in `ignored` are skipped (a component's own "name" and "id"). Appends a
/// Problem (codes CFG-KEY, CFG-TYPE, CFG-RANGE, CFG-CHOICE, CFG-MISSING) for each mistake: unknown keys with the
/// nearest known one, wrong types, values out of range, required ones missing (at the line of their parent). Fields
/// that are not in the tree keep their defaults. A null `node` reads as an empty map.
///
/// Scalars: `yes`, `010`, `.nan`, `1_000`, quoted numbers and integers with a fraction are not numbers or booleans;
/// `1e-4`, `-3`, `true`, `false` are. Fields with a unit also take a suffix: s (us ms s min h d), Hz (Hz kHz MHz),
/// bytes (B KiB MiB GiB kB MB GB), fraction (%), dB. A scalar where a list is declared is a list of one. is_path fields
/// become absolute, relative to the folder of the file in their mark (or the working folder for arguments). Component
/// fields get name, id and node; a component without a name is a problem; its options are read by the registry.
void read_fields(const Node* node, const Fields& fields, const std::string& path, const Mark& parent,
                 const std::vector<std::string>& ignored, std::vector<Problem>& problems);

/// The mark of a dotted path in the tree, or of the deepest part that exists.
Mark mark_of(const Node& root, const std::string& path);

/// YAML text of the fields' present values, nested, in declared order, 2-space indents. Text that would read as
/// something else is quoted. Components are written as name, id (when it differs) and all their options.
/// With `origins`, each leaf gets a comment `# file:line:col` or `# default`, looked up in that tree.
std::string to_yaml(const Fields& fields, const Node* origins = nullptr);

/// JSON Schema (draft 2020-12) of one list of fields: properties, types (a unit suffix is a string pattern), ranges,
/// enums, defaults from the present values, descriptions, additionalProperties false. Component fields get
/// {"$ref": "#/$defs/KIND"}; the caller adds the $defs.
nlohmann::ordered_json json_schema(const Fields& fields);

/// The present value of a field as JSON (components as their name).
nlohmann::ordered_json value_json(const Field& field);

}  // namespace amae::config
