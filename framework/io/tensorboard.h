// TensorBoard event files: length-prefixed, CRC-32C-masked protobuf `Event` records, written by hand.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace amae {

/// Appends summaries of numbers and pictures to one events.out.tfevents.* file in a folder. Flushes at each flush() and
/// at destruction.
/// The record format is TFRecord (tensorflow/core/lib/io/record_writer.h); Event and Summary are event.proto and
/// summary.proto.
class EventWriter {
 public:
  /// Creates the folder if needed. `wall_seconds` (Unix time) is part of the file name. Throws EnvironmentError.
  EventWriter(const std::filesystem::path& folder, double wall_seconds);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  void scalar(const std::string& tag, int64_t step, double value, double wall_seconds);
  /// png: a whole RGB PNG file. Throws std::invalid_argument when it is none.
  void image(const std::string& tag, int64_t step, std::string_view png, double wall_seconds);
  void flush();

 private:
  void summary(int64_t step, std::string_view value, double wall_seconds);

  int fd_ = -1;
  std::string buffer_;
  std::filesystem::path path_;
};

}  // namespace amae
