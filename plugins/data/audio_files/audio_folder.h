// audio_folder: a folder of sound files for each class.
#pragma once

#include <string>
#include <vector>

#include "../common/audio_rows.h"
#include "amae/options.h"

namespace amae {

struct AudioFolderOptions {
  std::string root;
  std::vector<std::string> extensions = {"wav", "flac", "ogg"};
  std::vector<std::string> classes;
  std::string on_bad_sample = "error";

  void describe(Fields& fields) {
    fields.add("root", root, "folder that holds a folder for each class").path().required();
    fields.add("extensions", extensions, "files with other endings are ignored; the content decides what a file is");
    fields.add("classes", classes, "folders to take, in label order; empty: all that are there, sorted");
    fields
        .add("on_bad_sample", on_bad_sample,
             "files that cannot be decoded: error: stop; skip: leave them out, count and list them")
        .choices({"error", "skip"});
  }
  void check() const;
};

/// ROOT/CLASS/…/FILE, in the order of their paths' bytes. Hidden files and folders are ignored; names may be any bytes.
/// Throws InputError (codes DATA-FILE, AUDIO): no such folder, a class without a sound file (counts of all), sound
/// files beside the class folders, links to folders, and what RowCollector::finish() finds.
AudioTable read_audio_folder(const AudioFolderOptions& options);

}  // namespace amae
