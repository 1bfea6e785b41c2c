#include "io/sigmf_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "amae/error.h"
#include "base/text.h"
#include "io/sigmf_metadata.h"
#include "io/tar_reader.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFindCode = "SIGMF";
constexpr const char* kMetaEnd = ".sigmf-meta";
constexpr const char* kDataEnd = ".sigmf-data";
constexpr const char* kArchiveEnd = ".sigmf";

/// "a/b.sigmf-meta" -> "a/b"; the name itself where it has another end.
std::string without_end(const std::string& name) {
  for (const char* end : {kMetaEnd, kDataEnd, kArchiveEnd}) {
    if (name.ends_with(end)) return name.substr(0, name.size() - std::string_view(end).size());
  }
  return name;
}

bool begins_as_json(const RegularFile& file) {
  std::array<char, 64> start{};
  const size_t got = file.read_some(0, start.data(), start.size());
  std::string_view text(start.data(), got);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

SigMfFiles plain_files(const fs::path& metadata, std::string name) {
  const auto read_text = [metadata] { return RegularFile(metadata, kFindCode).read_all(SigMfMetadata::kMaxBytes); };
  const auto open_data = [metadata](const std::string& dataset) -> std::shared_ptr<const ByteSource> {
    const std::string file = metadata.filename().string(), stem = without_end(file);
    const std::string standard = (stem == file ? metadata.stem().string() : stem) + kDataEnd;
    const fs::path data = metadata.parent_path() / (dataset.empty() ? standard : dataset);
    return std::make_shared<ReopenedFile>(data, kFindCode);
  };
  return {std::move(name), printable(metadata.string()), read_text, open_data};
}

/// The recordings of an archive; each `prefix` before its name.
std::vector<SigMfFiles> archived(const fs::path& path, const std::string& prefix) {
  const auto entries = std::make_shared<const std::vector<TarEntry>>(read_tar(RegularFile(path, kFindCode)));
  const auto file = std::make_shared<const ReopenedFile>(path, kFindCode);
  std::vector<SigMfFiles> found;
  for (const TarEntry& entry : *entries) {
    if (!entry.name.ends_with(kMetaEnd)) continue;
    const auto read_text = [file, entry] {
      const Stretch stretch(file, entry.offset, entry.size, entry.name);
      if (entry.size > SigMfMetadata::kMaxBytes)
        stretch.refuse(fmt::format("got {}, expected at most {}", bytes_text(static_cast<double>(entry.size)),
                                   bytes_text(static_cast<double>(SigMfMetadata::kMaxBytes))));
      std::string text(static_cast<size_t>(entry.size), '\0');
      stretch.read(0, text.data(), text.size());
      return text;
    };
    const auto open_data = [file, entries, entry](const std::string& dataset) -> std::shared_ptr<const ByteSource> {
      const std::string folder = entry.name.substr(0, entry.name.rfind('/') + 1);
      const std::string wanted = dataset.empty() ? without_end(entry.name) + kDataEnd : folder + dataset;
      const auto data = std::lower_bound(entries->begin(), entries->end(), wanted,
                                         [](const TarEntry& e, const std::string& name) { return e.name < name; });
      if (data == entries->end() || data->name != wanted)
        file->refuse(fmt::format("got no {} in the archive, expected the samples of {}", printable(wanted),
                                 printable(entry.name)));
      return std::make_shared<Stretch>(file, data->offset, data->size, data->name);
    };
    found.push_back({prefix + printable(without_end(entry.name)), file->where() + ": " + printable(entry.name),
                     read_text, open_data});
  }
  if (found.empty())
    file->refuse(
        fmt::format("got an archive of {} files without a *{}, expected a recording", entries->size(), kMetaEnd));
  return found;
}

std::vector<SigMfFiles> in_file(const fs::path& path, const std::string& name, bool is_alone) {
  if (path.string().ends_with(kDataEnd))
    return {plain_files(without_end(path.string()) + kMetaEnd, printable(without_end(name)))};
  const RegularFile file(path, kFindCode);
  if (is_tar(file)) return archived(path, is_alone ? "" : printable(name) + "/");
  if (begins_as_json(file)) return {plain_files(path, printable(without_end(name)))};
  std::array<char, 8> start{};
  const size_t got = file.read_some(0, start.data(), start.size());
  file.refuse(fmt::format("got a file that starts with \"{}\", expected SigMF metadata (JSON) or an archive (tar)",
                          printable(std::string_view(start.data(), got))));
}

std::vector<SigMfFiles> in_folder(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto at = fs::recursive_directory_iterator(folder, error); !error && at != fs::recursive_directory_iterator();
       at.increment(error)) {
    const std::string file = at->path().filename().string();
    std::error_code ignored;
    const bool is_hidden = file.starts_with('.');
    if (!is_hidden && !at->is_directory(ignored) && (file.ends_with(kMetaEnd) || file.ends_with(kArchiveEnd)))
      names.push_back(at->path().lexically_relative(folder).string());
  }
  if (error) {
    throw InputError(kFindCode, printable(folder.string()), "path",
                     fmt::format("cannot be searched ({}), expected a readable folder", error.message()));
  }
  std::sort(names.begin(), names.end());
  std::vector<SigMfFiles> found;
  std::set<std::string> taken;
  for (const std::string& name : names) {
    for (SigMfFiles& files : in_file(folder / name, name, false)) {
      if (!taken.insert(files.name).second) {
        throw InputError(kFindCode, files.where, "path",
                         fmt::format("got a second recording {}, expected each name once", files.name));
      }
      found.push_back(std::move(files));
    }
  }
  if (found.empty()) {
    throw InputError(kFindCode, printable(folder.string()), "path",
                     fmt::format("got a folder without *{} or *{}, expected recordings", kMetaEnd, kArchiveEnd));
  }
  return found;
}

}  // namespace

SigMfFiles sigmf_pair(const fs::path& metadata, const fs::path& samples) {
  SigMfFiles files = plain_files(metadata, printable(without_end(metadata.filename().string())));
  files.open_data = [samples](const std::string& /*dataset*/) -> std::shared_ptr<const ByteSource> {
    return std::make_shared<ReopenedFile>(samples, kFindCode);
  };
  return files;
}

std::vector<SigMfFiles> find_sigmf(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return in_folder(path);
  return in_file(path, path.filename().string(), true);
}

}  // namespace amae
