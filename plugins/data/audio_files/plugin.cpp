#include "amae/plugin.h"

#include "audio_csv.h"
#include "audio_folder.h"
#include "audio_jsonl.h"

namespace {

using namespace amae;

void register_plugin(Registrar& registrar) {
  registrar.dataset<AudioCsvOptions>(
      "audio_csv", "sound files, or sections of them, listed in a CSV table",
      [](const AudioCsvOptions& options) { return std::make_unique<AudioRows>(read_audio_csv(options)); });
  registrar.dataset<AudioJsonlOptions>(
      "audio_jsonl", "sound files, or sections of them, listed as JSON objects, one a line",
      [](const AudioJsonlOptions& options) { return std::make_unique<AudioRows>(read_audio_jsonl(options)); });
  registrar.dataset<AudioFolderOptions>(
      "audio_folder", "a folder of sound files for each class",
      [](const AudioFolderOptions& options) { return std::make_unique<AudioRows>(read_audio_folder(options)); });
}

}  // namespace

AMAE_PLUGIN("audio_files", "1.0", "your own recordings, listed in a table or sorted into folders", register_plugin)
