// Which rows trained a bundle, so that none of them ever tests it or what grew out of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "amae/dataset.h"

namespace amae {

/// Rows by their content, rising, each once: the first 64 bits of the SHA-256 of a row's content hash. The same clip
/// has the same mark in every data set that hashes it the same way; whatever a config calls it.
using RowMarks = std::vector<int64_t>;

RowMarks marks_of(const Dataset& dataset, const std::vector<int64_t>& rows);

/// Writes FOLDER/trained_on.safetensors: "rows", int64.
void write_trained_on(const std::filesystem::path& folder, const RowMarks& marks);

/// What a bundle's folder says; empty where it says nothing, as do bundles made of foreign weights.
RowMarks read_trained_on(const std::filesystem::path& folder);

/// In one or the other.
RowMarks united(const RowMarks& a, const RowMarks& b);

/// How many of `rows` are among `marks`.
int64_t count_marked(const Dataset& dataset, const std::vector<int64_t>& rows, const RowMarks& marks);

}  // namespace amae
