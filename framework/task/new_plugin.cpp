#include "task/new_plugin.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "amae/error.h"
#include "base/embedded.h"
#include "base/file.h"
#include "base/text.h"

namespace amae {

namespace new_plugin_files {
std::span<const EmbeddedFile> files();  // task/new_plugin/, embedded by framework/CMakeLists.txt
}

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_new_plugin(const std::string& field, const std::string& message) {
  throw InputError("PLUGIN-NEW", "", field, message);
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "my_net_2" -> "MyNet2".
std::string camel_case(const std::string& name) {
  std::string result;
  bool starts_word = true;
  for (const char c : name) {
    if (c != '_') result += starts_word && is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
    starts_word = c == '_';
  }
  return result;
}

std::string filled_in(std::string_view text, const std::map<std::string, std::string>& words) {
  std::string result(text);
  for (const auto& [placeholder, word] : words) {
    for (size_t at = 0; (at = result.find(placeholder, at)) != std::string::npos; at += word.size())
      result.replace(at, placeholder.size(), word);
  }
  return result;
}

}  // namespace

std::vector<std::string> write_new_plugin(const std::string& kind, const std::string& name, const fs::path& folder) {
  // The folder below plugins/ that components of the kind have.
  static const std::map<std::string, std::string> kFolders = {
      {"model", "models"}, {"dataset", "data"}, {"transform", "transforms"}};
  const auto kind_folder = kFolders.find(kind);
  if (kind_folder == kFolders.end())
    refuse_new_plugin("KIND", fmt::format("got {}, expected model, dataset or transform", printable(kind)));
  const bool good =
      !name.empty() && name.size() <= 64 && is_lower(name[0]) &&
      std::all_of(name.begin(), name.end(), [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
  if (!good) {
    refuse_new_plugin("NAME", fmt::format("got '{}', expected 1 to 64 of a-z, 0-9 and _, the first a letter",
                                          printable(name.substr(0, 80))));
  }
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(folder, ignored)) &&
      (!fs::is_directory(folder, ignored) || !fs::is_empty(folder, ignored))) {
    refuse_new_plugin(
        "--out", fmt::format("got {}, which is in use, expected a new or an empty folder", printable(folder.string())));
  }

  const std::map<std::string, std::string> words = {
      {"@NAME@", name}, {"@CLASS@", camel_case(name)}, {"@KIND@", kind}, {"@FOLDER@", kind_folder->second}};
  std::vector<std::string> written;
  AtomicFolder beside(folder);
  for (const EmbeddedFile& file : new_plugin_files::files()) {
    const size_t slash = file.name.find('/');
    const std::string_view of = file.name.substr(0, slash);
    if (of != kind && of != "common") continue;
    std::string path = filled_in(file.name.substr(slash + 1), words);
    const bool is_template = path.ends_with(".in");  // the rest, such as sample data, is copied as it is
    if (is_template) path.resize(path.size() - 3);
    fs::create_directories((beside.path() / path).parent_path());
    write_file(beside.path() / path, is_template ? filled_in(file.content, words) : std::string(file.content));
    written.push_back(path);
  }
  beside.commit();
  std::sort(written.begin(), written.end());
  return written;
}

}  // namespace amae
