#include "audio_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>

#include "../common/row_collector.h"
#include "amae/error.h"
#include "base/text.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolderCode = "DATA-FILE";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool is_hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

// Also where a link leads; one that leads nowhere is none.
bool is_folder(const fs::directory_entry& entry) {
  std::error_code ignored;
  return entry.is_directory(ignored);
}

class FolderRows {
 public:
  explicit FolderRows(const AudioFolderOptions& options) : options_(options) {
    for (const auto& extension : options.extensions) endings_.push_back("." + lower(extension));
  }

  AudioTable read() {
    for (const auto& entry : entries(options_.root)) {
      if (!is_folder(entry)) {
        if (is_sound(entry)) stray_.push_back(printable(entry.path().filename().string()));
      } else if (is_wanted(entry.path().filename().string())) {
        if (take_folder(entry)) walk(entry.path(), files_[entry.path().filename().string()]);
      }
    }
    check_classes();
    problems_.throw_if_any(printable(options_.root));
    return collect();
  }

 private:
  /// What is not hidden, unsorted.
  static std::vector<fs::directory_entry> entries(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::directory_entry> found;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      if (!is_hidden(it->path())) found.push_back(*it);
    }
    if (error) {
      throw InputError(kFolderCode, printable(folder.string()), "", "cannot list the folder: " + error.message());
    }
    return found;
  }

  [[nodiscard]] bool is_sound(const fs::directory_entry& entry) const {
    return std::find(endings_.begin(), endings_.end(), lower(entry.path().extension().string())) != endings_.end();
  }
  [[nodiscard]] bool is_wanted(const std::string& name) const {
    const auto& wanted = options_.classes;
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
  }

  // A folder that is a link could lead anywhere, in a circle too.
  bool take_folder(const fs::directory_entry& entry) {
    if (!entry.is_symlink()) return true;
    problems_.add({kFolderCode, printable(entry.path().string()), "", "got a link to a folder, expected a folder"});
    return false;
  }

  void walk(const fs::path& folder, std::vector<std::string>& files) {
    for (const auto& entry : entries(folder)) {
      if (is_folder(entry)) {
        if (take_folder(entry)) walk(entry.path(), files);
      } else if (is_sound(entry)) {
        files.push_back(entry.path().lexically_relative(options_.root).string());
      }
    }
  }

  void check_classes() {
    const std::string root = printable(options_.root);
    if (!stray_.empty()) {
      std::sort(stray_.begin(), stray_.end());
      const size_t count = stray_.size();
      stray_.resize(std::min(count, kShownProblems));
      problems_.add(
          {kFolderCode, root, "",
           fmt::format("got {} sound file{} beside the class folders ({}), expected every file in the folder of "
                       "its class",
                       count, count == 1 ? "" : "s", join(stray_, ", "))});
    }
    for (const auto& name : options_.classes) {
      if (!files_.contains(name)) {
        problems_.add({kFolderCode, root, "classes", fmt::format("got {}, which is no folder there", printable(name))});
      }
    }
    if (files_.empty() && problems_.empty()) {
      problems_.add({kFolderCode, root, "", "got no folder in it, expected one for each class"});
    }
    std::vector<std::string> counts;
    for (const auto& [name, files] : files_) counts.push_back(fmt::format("{} {}", printable(name), files.size()));
    for (const auto& [name, files] : files_) {
      if (!files.empty()) continue;
      problems_.add({kFolderCode, printable((fs::path(options_.root) / name).string()), "",
                     fmt::format("got class {} without a sound file ({}), expected files ending in {}; or leave it out "
                                 "with classes",
                                 printable(name), join(counts, ", "), join(endings_, ", "))});
    }
  }

  AudioTable collect() {
    TableRules rules;
    rules.root = options_.root;
    rules.code = kFolderCode;
    rules.path = "";
    rules.skips_bad = options_.on_bad_sample == "skip";
    // The classes' names go into JSON, so they are text; the files keep whatever bytes their names have.
    rules.classes = options_.classes;
    if (rules.classes.empty()) {
      for (const auto& [name, files] : files_) rules.classes.push_back(name);
    }
    std::vector<std::pair<std::string, std::string_view>> rows;  // path, class
    for (auto& [name, files] : files_) {
      for (auto& file : files) rows.emplace_back(std::move(file), name);
    }
    std::sort(rows.begin(), rows.end());
    RowCollector collector(std::move(rules));
    collector.reserve(rows.size());
    for (const auto& [path, name] : rows) {
      TableRow row;
      row.path = path;
      row.labels = {&name, 1};
      collector.add(row);
    }
    AudioTable table = collector.finish();
    for (auto& name : table.classes) name = printable(name);
    return table;
  }

  const AudioFolderOptions& options_;
  std::vector<std::string> endings_;
  std::map<std::string, std::vector<std::string>> files_;  // of each class, below the root
  std::vector<std::string> stray_;
  ProblemList problems_;
};

}  // namespace

void AudioFolderOptions::check() const {
  if (extensions.empty()) throw InputError("CFG-RANGE", "", "extensions", "got none, expected at least one");
}

AudioTable read_audio_folder(const AudioFolderOptions& options) {
  std::error_code ignored;
  if (!fs::is_directory(options.root, ignored)) {
    throw InputError(
        kFolderCode, "", "root",
        fmt::format("got {}, which is no folder, expected one with a folder for each class", printable(options.root)));
  }
  return FolderRows(options).read();
}

}  // namespace amae
