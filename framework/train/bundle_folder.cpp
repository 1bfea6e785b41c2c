// Where bundles lie, and how one is kept under a name.
#include <fmt/format.h>

#include <cstdlib>
#include <set>

#include "amae/error.h"
#include "base/file.h"
#include "base/text.h"
#include "train/bundle.h"

namespace amae {
namespace fs = std::filesystem;

fs::path checkpoints_folder() {
  const char* folder = std::getenv("AMAE_CHECKPOINTS");  // NOLINT(concurrency-mt-unsafe)
  return folder != nullptr && *folder != '\0' ? folder : "checkpoints";
}

fs::path named_path(const fs::path& run) {
  std::error_code ignored;
  const fs::path folder = run.parent_path();
  const bool may_be_name = folder.empty() || folder.filename() == "checkpoints" || fs::is_directory(folder, ignored);
  if (fs::exists(run, ignored) || !run.has_filename() || !may_be_name) return run;
  const fs::path named = checkpoints_folder() / run.filename();
  return fs::exists(named / "bundle.json", ignored) || fs::is_regular_file(named, ignored) ? named : run;
}

fs::path bundle_folder(const fs::path& run) {
  const fs::path path = named_path(run);
  if (fs::exists(path / "bundle.json")) return path;
  if (fs::exists(path / "checkpoints/last/bundle.json")) return path / "checkpoints/last";
  if (fs::is_directory(path / "folds")) {
    throw InputError(
        "CKPT", run.string(), "",
        fmt::format("got a cross-validation, which has a bundle a fold; expected one of them as {0}/1, or in "
                    "a config with folds {0}/{{fold}}",
                    (path / "folds").string()));
  }
  throw InputError(
      "CKPT", run.string(), "",
      fmt::format("got no run or bundle, expected bundle.json in it or in its checkpoints/last, or the name "
                  "of a folder in {}",
                  checkpoints_folder().string()));
}

void keep_bundle(const fs::path& folder, const fs::path& target) {
  verify_checksums(folder);
  std::error_code error;
  AtomicFolder kept(target);
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || name == "optim.safetensors" || name == "state.json" || name == "SHA256SUMS")
      continue;
    fs::copy_file(entry.path(), kept.path() / name, error);
    if (error) throw EnvironmentError("FILE", (kept.path() / name).string(), "cannot copy: " + error.message());
  }
  write_checksums(kept.path());
  kept.commit();
}

}  // namespace amae
