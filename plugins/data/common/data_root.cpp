#include "data_root.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "base/text.h"

namespace amae {
namespace {

struct Free {
  void operator()(char* text) const { std::free(text); }  // NOLINT(cppcoreguidelines-no-malloc): realpath's
};

// std::filesystem::canonical, several times as fast.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, Free> real(::realpath(path.c_str(), nullptr));
  return real ? real.get() : "";
}

// True when a part between slashes is empty, "." or "..".
bool has_odd_part(std::string_view name) {
  size_t begin = 0;
  for (size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && name[i] != '/') continue;
    const auto part = name.substr(begin, i - begin);
    if (part.empty() || part == "." || part == "..") return true;
    begin = i + 1;
  }
  return false;
}

}  // namespace

DataRoot::DataRoot(const std::filesystem::path& folder) : folder_(folder), real_(real_path(folder.string())) {
  if (!real_.ends_with('/')) real_ += '/';
}

std::string DataRoot::normal(std::string_view name) {
  if (!has_odd_part(name)) return std::string(name);  // nearly all; a path object is slow for millions of rows
  return std::filesystem::path(name).lexically_normal().string();
}

std::string DataRoot::fault_of(std::string_view normal, std::string_view written) {
  const auto shown = [&] { return printable(written.substr(0, 200)); };
  if (normal.empty() || normal == ".") return fmt::format("got \"{}\", expected a file name", shown());
  if (normal.find('\0') != std::string_view::npos) {
    return fmt::format("got \"{}\", which has a NUL byte in it; expected a file name", shown());
  }
  if (normal.size() > 4095) return fmt::format("got a name of {} bytes, expected at most 4095", normal.size());
  if (normal.front() == '/' || normal == ".." || normal.starts_with("../")) {
    return fmt::format("got {}, which escapes the data set's root folder; expected a name below it", shown());
  }
  return "";
}

DataRoot::Place DataRoot::find(const std::string& name) const {
  const std::string real = real_path((folder_ / name).string());
  if (real.empty()) return {Place::Kind::missing, "", std::generic_category().message(errno)};
  if (!real.starts_with(real_)) return {Place::Kind::outside, "", ""};
  return {Place::Kind::inside, real.substr(real_.size()), ""};
}

}  // namespace amae
