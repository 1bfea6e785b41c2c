// A few items of each class as training sees them: before and after the random transforms, for eyes and ears.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "report/canvas.h"
#include "task/data_target.h"

namespace amae {

struct PreviewOptions {
  int64_t items = 2;                      ///< of each class
  std::vector<std::string> classes = {};  ///< names; empty: all
  std::optional<uint64_t> seed = {};      ///< of the choice and of the random transforms; none: the config's, or 0
  int64_t epoch = 0;                      ///< whose random numbers are drawn; 0-based
};

/// One item; tensors without the batch dimension, undefined where there is nothing to show.
struct PreviewItem {
  int64_t row = 0;
  std::string id, label;
  std::string facts;  ///< of IQ: up to three columns, "snr" first, numbers before texts: "snr 10, cfo 2"; else empty
  Signal original;
  at::Tensor features;          ///< what reaches the model in evaluation
  Signal augmented_signal;      ///< after the random transforms that act on the sound or IQ itself
  at::Tensor augmented;         ///< what reaches the model in training
  std::string augmented_label;  ///< "dog 63 %, rain 37 %"; empty where it stayed the same
};

struct Preview {
  std::string dataset;
  uint64_t seed = 0;
  int64_t epoch = 0;
  std::string chain;               ///< names of the transforms, in order
  Spec features, augmented;        ///< of the items' tensors; empty shapes: none
  std::vector<PreviewItem> items;  ///< class by class
  std::vector<std::string> notes;  ///< what a reader must know: what could not be shown, and why
};

/// Loads, at most kPreviewItems in all, and runs the config's transforms. The random ones draw for each item what
/// training with this seed draws in that epoch; transforms that mix items find their partners on the sheet.
/// Transforms that need fitting are fitted on the items shown. Rows that cannot be read are passed over and noted.
/// Throws InputError for a class that does not exist or when no item can be read.
Preview make_preview(const DataTarget& target, const PreviewOptions& options);
inline constexpr int64_t kPreviewItems = 120;

/// The sheet: a row for each item, titled with id, class, duration and rate (of IQ: columns and samples); waveform (of
/// IQ: I and Q over each other), features, and both after augmentation side by side. The colours of an item's two
/// pictures mean the same.
Canvas draw_preview(const Preview& preview);

/// preview.png, a WAV of each original and augmented sound, and preview.json, which lists them. Throws InputError when
/// a file of that name is there that no earlier preview wrote; those of an earlier one are replaced.
/// Returns the names of the files written; adds to the notes what was written otherwise than it is.
std::vector<std::string> write_preview(Preview& preview, const std::filesystem::path& folder);

}  // namespace amae
