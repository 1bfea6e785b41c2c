#include "task/data_synth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "base/text.h"
#include "data/threads.h"
#include "io/write_radioml.h"

namespace amae {
namespace {

[[noreturn]] void refuse_synth(const std::string& field, const std::string& message) {
  throw InputError("SYNTH", "", field, message);
}

/// Rows by (modulation, SNR), in the order of names and numbers.
std::map<std::pair<std::string, int64_t>, std::vector<int64_t>> cells_of(const Dataset& data) {
  const auto texts = data.text_columns();
  const auto numbers = data.columns();
  const auto modulation = texts.find("modulation");
  const auto snr = numbers.find("snr");
  if (modulation == texts.end()) refuse_synth("modulation", "got a data set without this text column");
  if (snr == numbers.end()) refuse_synth("snr", "got a data set without this column of numbers");
  for (const std::string& name : modulation->second.values) {
    const bool is_plain =
        std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~' && c != '\'' && c != '\\'; });
    if (!is_plain) refuse_synth("modulation", fmt::format("got '{}', expected plain ASCII", printable(name)));
  }
  std::map<std::pair<std::string, int64_t>, std::vector<int64_t>> cells;
  for (int64_t row = 0; row < data.size(); ++row) {
    const int32_t name = modulation->second.index[static_cast<size_t>(row)];
    const double db = snr->second[static_cast<size_t>(row)];
    if (name < 0) refuse_synth("modulation", fmt::format("got none for {}", printable(data.id(row))));
    if (!(std::abs(db) <= 1e6) || db != std::nearbyint(db)) {
      refuse_synth("snr", fmt::format("got {} for {}, expected whole decibels: the format has no others",
                                      number_text(db), printable(data.id(row))));
    }
    cells[{modulation->second.values[static_cast<size_t>(name)], std::llround(db)}].push_back(row);
  }
  return cells;
}

}  // namespace

Synthesized synth_radioml(const DataTarget& target, const std::filesystem::path& file, const DataProgress& progress) {
  const Dataset& data = *target.dataset;
  const Spec spec = data.spec();
  if (spec.domain != Domain::iq || spec.shape.size() != 2 || spec.shape[0] != 2 || spec.shape[1] < 1) {
    refuse_synth("data", fmt::format("got {}, expected iq [2, L] with L the same for all", spec.text()));
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    throw InputError("SYNTH", printable(file.string()), "", "got a folder, expected the name of a file");
  }
  const auto cells = cells_of(data);
  const auto values = static_cast<size_t>(2 * spec.shape[1]);
  RadiomlWriter writer(file);
  Synthesized done;
  for (const auto& [cell, rows] : cells) {
    std::vector<float> frames(rows.size() * values);
    parallel_rows(static_cast<int64_t>(rows.size()), data_threads(), [&](int64_t k) {
      const int64_t row = rows[static_cast<size_t>(k)];
      const at::Tensor samples = data.load(row).samples.contiguous();
      if (samples.sizes() != at::IntArrayRef(spec.shape)) {
        refuse_synth("data", fmt::format("got {} samples in {}, expected {} as in all", samples.size(-1),
                                         printable(data.id(row)), spec.shape[1]));
      }
      std::memcpy(frames.data() + static_cast<size_t>(k) * values, samples.const_data_ptr<float>(),
                  values * sizeof(float));
    });
    writer.add(cell.first, cell.second, frames, {static_cast<int64_t>(rows.size()), 2, spec.shape[1]});
    done.rows += static_cast<int64_t>(rows.size());
    ++done.cells;
    if (progress) progress(done.rows, data.size());
  }
  done.bytes = static_cast<double>(writer.finish());
  return done;
}

std::string frame_maker(const Registry& registry) {
  std::vector<std::string> names;
  for (const ComponentInfo& info : registry.components()) {
    if (info.kind != "dataset") continue;
    const auto options = info.make_options();
    Fields fields;
    options->describe(fields);
    const auto& all = fields.all();
    if (std::any_of(all.begin(), all.end(), [](const Field& field) { return field.name == "frames_per_cell"; })) {
      names.push_back(info.key);
    }
  }
  if (names.size() == 1) return names.front();
  refuse_synth("--from", names.empty() ? std::string("got none, and no plugin offers a data set that makes frames")
                                       : fmt::format("got none, expected one of {}", join(names, ", ")));
}

}  // namespace amae
