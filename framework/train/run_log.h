// The numbers and pictures of a run: metrics.jsonl and pictures/ are the truth, metrics.csv and TensorBoard follow.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace amae {

class EventWriter;

/// One number. `split` is "train", "val", "test" or "system" (times and rates, which differ from machine to machine).
struct Metric {
  double wall = 0;  ///< Unix time
  int64_t step = 0, epoch = 0;
  std::string split, name;
  double value = 0;
};

/// Appends records to RUN/metrics.jsonl (long form, one object a line) and keeps RUN/metrics.csv (one row an epoch,
/// columns split/name in order of first appearance) and RUN/tb/ in step with it. Pictures are in RUN/pictures/.
class RunLog {
 public:
  /// Opens the files of a run. Records and pictures of epochs from `keep_epochs` on (they will come again) and a torn
  /// last line are dropped first; tb/ is written anew from the rest.
  RunLog(std::filesystem::path run, bool tensorboard, int64_t keep_epochs);
  ~RunLog();

  void add(int64_t step, int64_t epoch, const std::string& split, const std::string& name, double value);

  /// rgb [H, W, 3] uint8 -> RUN/pictures/NAME-EPOCH.png, durable at once, and TensorBoard. The file tells the number of
  /// epochs done, epoch + 1, as messages do.
  void image(int64_t step, int64_t epoch, const std::string& name, const torch::Tensor& rgb);

  /// Makes all added records durable and rewrites metrics.csv.
  void flush();

  [[nodiscard]] const std::vector<Metric>& all() const { return metrics_; }

 private:
  void keep_pictures(int64_t keep_epochs);

  std::filesystem::path run_;
  std::vector<Metric> metrics_;
  std::string pending_;
  std::unique_ptr<EventWriter> events_;
};

/// Reads RUN/metrics.jsonl; a torn last line is left out. Missing file: empty.
std::vector<Metric> read_metrics(const std::filesystem::path& file);

}  // namespace amae
