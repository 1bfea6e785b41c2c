// Which recordings a path leads to.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/byte_source.h"

namespace amae {

/// A recording's metadata, and a way to its samples; nothing is read yet.
struct SigMfFiles {
  std::string name;                        ///< unique among those found; printable
  std::string where;                       ///< of the metadata, for messages
  std::function<std::string()> read_text;  ///< the metadata
  /// The Dataset file. `name`: core:dataset, or empty for NAME.sigmf-data. Throws InputError when it is missing.
  std::function<std::shared_ptr<const ByteSource>(const std::string& name)> open_data;
};

/// `path` is a metadata file or its .sigmf-data, an archive, or a folder that is searched, with those below it, for
/// files named *.sigmf-meta and *.sigmf, hidden ones passed over. What a file is, its content says: JSON or tar. In
/// order of names. Throws InputError (code SIGMF) when there is none, and for what is neither.
std::vector<SigMfFiles> find_sigmf(const std::filesystem::path& path);

/// A recording whose two files have any names: what core:dataset says plays no part.
SigMfFiles sigmf_pair(const std::filesystem::path& metadata, const std::filesystem::path& samples);

}  // namespace amae
