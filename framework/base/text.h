// Small text helpers shared by messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace amae {

/// The candidate closest to `word` by edit distance, or empty when none is near enough to be a likely slip.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// True when `text` matches a shell pattern with `*` and `?`.
bool matches(std::string_view text, std::string_view pattern);

/// "1h02m", "3m07s", "42.1s", "120ms".
std::string duration_text(double seconds);

/// "1.40 GiB", "12.0 KiB", "7 B".
std::string bytes_text(double bytes);

/// "12.4M", "1.57M", "830".
std::string count_text(double count);

/// The number that a whole text is, "-1.5e3"; NaN for another one, "nan" and "inf" among them.
double number_of(std::string_view text);

/// Shortest decimal text that reads back to the same double ("0.1", "3", "1e-05"); "nan", "inf", "-inf".
std::string number_text(double value);

/// Length in bytes of the UTF-8 sequence at the start of `text` (not empty); 0 when it is not well-formed: overlong,
/// surrogate, beyond U+10FFFF or cut. Source: Unicode 15, table 3-7; RFC 3629.
size_t utf8_length(std::string_view text);

/// Characters that are not printable and bytes that are not UTF-8 become \xNN, so that a message stays one line.
std::string printable(std::string_view text);

}  // namespace amae
