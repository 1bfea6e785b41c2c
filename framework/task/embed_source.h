// What can be embedded: rows of a data set, or sound files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "amae/signal.h"
#include "task/run_config.h"

namespace amae {

/// What items.csv says of an item, beside its times and its content.
struct EmbedItem {
  std::string id;                  ///< unique within the source
  std::string path, label, fold;   ///< empty where there is none
  std::vector<std::string> cells;  ///< of EmbedSource::columns()
};

/// Thread-safe.
class EmbedSource {
 public:
  virtual ~EmbedSource();

  [[nodiscard]] virtual int64_t size() const = 0;
  /// Columns of its own, none of which is among item_columns().
  [[nodiscard]] virtual const std::vector<std::string>& columns() const = 0;
  [[nodiscard]] virtual EmbedItem item(int64_t number) const = 0;
  /// Hash of all that its signal is a function of. Throws InputError for a file that cannot be read.
  [[nodiscard]] virtual std::string content(int64_t number) const = 0;
  /// Of its signal, from a header where there is one. Throws InputError.
  [[nodiscard]] virtual Spec spec(int64_t number) const = 0;
  /// Frames begin..begin + frames - 1 of its signal. Throws InputError.
  [[nodiscard]] virtual Signal read(int64_t number, int64_t begin, int64_t frames) const = 0;
  /// Items that cannot be read are left out and listed, and that is no failure.
  [[nodiscard]] virtual bool skips_bad_items() const { return false; }
  /// By which open_source() finds it again; empty for files, whose paths are in the items.
  [[nodiscard]] virtual std::string data() const { return ""; }
};

/// Rows of a data set: `component` made it, and its options are kept for data().
std::unique_ptr<EmbedSource> dataset_source(std::shared_ptr<const Dataset> dataset, const Component& component);

/// Files as they are given, each once: sound, or IQ as .npy (complex [N] or real [2, N]); a folder stands for all sound
/// files below it, sorted. Throws InputError as sound_files() does.
std::unique_ptr<EmbedSource> file_source(const std::vector<std::string>& files_and_folders);

/// What `amae embed RUN DATA…` means: a config (.yaml) with key=value words, the name of a data set with its options,
/// or files and folders.
std::unique_ptr<EmbedSource> source_of_words(const std::vector<std::string>& words,
                                             const std::vector<std::filesystem::path>& plugin_path);

/// The data set that data() of a source names. Throws InputError when it cannot be opened.
std::unique_ptr<EmbedSource> open_source(const std::string& data, const Registry& registry);

/// Files as they are; for a folder all files below it that are named .wav, .flac, .ogg, .oga or .opus, in the order of
/// their names. Throws InputError for a folder without any.
std::vector<std::string> sound_files(const std::vector<std::string>& files_and_folders);

/// True for what `sound_files` finds in folders.
bool named_as_sound(const std::filesystem::path& path);

}  // namespace amae
