// The folder that a data set's files lie in, and the only place that they may come from.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace amae {

class DataRoot {
 public:
  /// `folder` exists and is one; symbolic links on the way to it are followed.
  explicit DataRoot(const std::filesystem::path& folder);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  /// A name without "." and doubled slashes, so that ./a and a are one. Nothing is looked up.
  static std::string normal(std::string_view name);

  /// Why `normal`, which was `written` so, cannot be a file below the folder ("got …, expected …"), or empty.
  static std::string fault_of(std::string_view normal, std::string_view written);

  struct Place {
    enum class Kind { inside, outside, missing };
    Kind kind = Kind::missing;
    std::string
        name;  ///< inside: the file below the folder that symbolic links lead to; a name without links is itself
    std::string reason;  ///< missing: in the words of the system
  };
  /// Follows symbolic links. Thread-safe.
  [[nodiscard]] Place find(const std::string& name) const;

 private:
  std::filesystem::path folder_;
  std::string real_;  // with "/" at the end
};

}  // namespace amae
