// The texts that pickle protocols 0 and 1 write as lines, decoded as they come: a line may hold hundreds of megabytes.
#pragma once

#include "io/pickle_bytes.h"
#include "io/pickle_source.h"

namespace amae {

/// A str as Python 2's repr() writes it, to its line's end: 'abc\x00\n', or in double quotes; escapes \xNN, \n, \r, \t,
/// \\, \', \". Added to `out`. Returns what is wrong, or null.
const char* read_quoted(PickleSource& source, GrowingBytes& out);

/// A text as the codec raw-unicode-escape writes it, to its line's end: Latin-1 with \uXXXX and \UXXXXXXXX. Added to
/// `out` as UTF-8. Returns what is wrong, or null.
const char* read_raw_unicode(PickleSource& source, GrowingBytes& out);

/// Turns UTF-8 into Latin-1 in place and returns its length; SIZE_MAX, with nothing of use in `text`, when a character
/// lies beyond U+00FF. `text` must be well-formed.
size_t latin1_in_place(char* text, size_t size);

bool is_utf8(std::string_view text);

}  // namespace amae
