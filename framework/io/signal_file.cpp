#include "io/signal_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <memory>
#include <string_view>

#include "amae/error.h"
#include "base/text.h"
#include "io/audio.h"
#include "io/iq_frame.h"
#include "io/npy_array.h"
#include "io/sigmf_files.h"
#include "io/sigmf_recording.h"
#include "io/tar_reader.h"

namespace amae {
namespace fs = std::filesystem;

namespace {

/// IQ in an array: complex [N], or real [2, N]. Samples [2, frames].
at::Tensor read_iq(const NpyArray& array, bool is_complex, int64_t all, int64_t begin, int64_t frames) {
  at::Tensor samples = at::empty({2, frames}, at::kFloat);
  const auto bytes = static_cast<size_t>(array.type().bytes);
  const std::string raw = is_complex ? array.read_rows(begin, frames) : array.read_rows(0, 2);
  for (size_t part = 0; part < 2; ++part) {
    const size_t at =
        is_complex ? part * bytes : (part * static_cast<size_t>(all) + static_cast<size_t>(begin)) * bytes;
    to_float32(array.type(), raw.data() + at, is_complex ? 2 * bytes : bytes, frames,
               samples.mutable_data_ptr<float>() + part * static_cast<size_t>(frames));
  }
  check_finite(samples, [&](const std::string& message) { array.refuse(message); });
  return samples;
}

}  // namespace

SignalFile::SignalFile(const fs::path& path) {
  const RegularFile file(path, "AUDIO");
  std::array<char, 8> first{};
  const std::string_view start(first.data(), file.read_some(0, first.data(), first.size()));
  if (start.starts_with(kNpyMagic) || start.starts_with("PK")) {
    open_iq(path);
    return;
  }
  const bool is_metadata =
      start.starts_with("{") || path.extension() == ".sigmf-meta" || path.extension() == ".sigmf-data";
  if (is_metadata || is_tar(file)) {
    open_sigmf(path, {});
    return;
  }
  const AudioInfo info = audio_info(path);
  format_ = info.format;
  spec_ = {Domain::audio, {info.channels, info.frames}, info.rate_hz};
  read_ = [path](int64_t begin, int64_t frames) { return read_audio(path, begin, frames).samples; };
}

SignalFile::SignalFile(const fs::path& metadata, const fs::path& samples) { open_sigmf(metadata, samples); }

void SignalFile::open_iq(const fs::path& path) {
  const auto array = std::make_shared<const NpyArray>(open_npy_array(path, ""));
  const bool is_complex = array->type().is_complex;
  const std::vector<int64_t>& shape = array->shape();
  if (!(is_complex ? shape.size() == 1 : shape.size() == 2 && shape[0] == 2)) {
    array->refuse(fmt::format("got {} numbers of shape ({}), expected IQ: complex [N] or real [2, N]",
                              is_complex ? "complex" : "real", fmt::join(shape, ", ")),
                  "shape");
  }
  const int64_t all = is_complex ? shape[0] : shape[1];
  format_ = "NPY";
  spec_ = {Domain::iq, {2, all}, 0};
  read_ = [=](int64_t begin, int64_t frames) { return read_iq(*array, is_complex, all, begin, frames); };
}

void SignalFile::open_sigmf(const fs::path& path, const fs::path& samples) {
  const std::vector<SigMfFiles> found = samples.empty() ? find_sigmf(path) : std::vector{sigmf_pair(path, samples)};
  if (found.size() != 1) {
    throw InputError("SIGMF", printable(path.string()), "",
                     fmt::format("got {} recordings, expected one", found.size()));
  }
  const SigMfMetadata metadata(found[0].read_text(), found[0].where);
  const auto recording =
      std::make_shared<const SigMfRecording>(found[0].name, metadata, found[0].open_data(metadata.dataset));
  const bool is_iq = recording->is_complex();
  format_ = "SIGMF";
  spec_ = {is_iq ? Domain::iq : Domain::audio,
           {is_iq ? 2 : 1, static_cast<int64_t>(recording->end() - recording->begin())},
           recording->rate_hz()};
  read_ = [recording](int64_t begin, int64_t frames) {
    return recording->read(recording->begin() + static_cast<uint64_t>(begin), frames, 0);
  };
}

Signal SignalFile::read(int64_t begin, int64_t frames) const {
  return {read_(begin, frames), spec_.rate_hz, spec_.domain};
}

}  // namespace amae
