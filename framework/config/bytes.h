// Mistakes in the bytes of a document, found before the YAML scanner sees them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "amae/error.h"

namespace amae::config {

/// Refuses, with line, column and byte offset: NUL and other control bytes (the scanner takes 0x04 for the end of the
/// file), invalid UTF-8, carriage returns without line feed, tabs as indentation. At most one encoding mistake (a file
/// in another encoding has thousands) and the first tabs. `has_lines` as in Mark.
std::vector<Problem> check_bytes(std::string_view text, const std::string& source, bool has_lines);

/// For a document that the scanner has refused: its scanner reads to the end of an unclosed bracket before it tells,
/// and then blames a key. When more than `limit` brackets are open somewhere, that is the mistake to tell. Counts
/// brackets in quotes too, hence only for documents that are wrong anyway.
std::vector<Problem> check_brackets(std::string_view text, const std::string& source, bool has_lines, size_t limit);

/// Column in characters, from 1, of the byte at `offset` bytes from the start of its line.
int column_of(std::string_view line, size_t offset);

}  // namespace amae::config
