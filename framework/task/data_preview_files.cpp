#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "io/audio.h"
#include "task/data_preview.h"

namespace amae {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kList = "preview.json";

/// The files that an earlier preview wrote here: its list, and what that names.
std::set<std::string> files_of_earlier(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_regular_file(folder / kList, ignored)) return {};
  const auto json = ordered_json::parse(read_file(folder / kList, 1 << 24), nullptr, false);
  if (!json.is_object() || !json.contains("amae_preview") || !json.contains("files") || !json["files"].is_array())
    return {};
  std::set<std::string> names = {kList};
  for (const auto& name : json["files"]) {
    // Only names of files that lie here: the list of a stranger must not make us remove anything elsewhere.
    if (name.is_string() && fs::path(name.get<std::string>()).filename() == name.get<std::string>())
      names.insert(name.get<std::string>());
  }
  return names;
}

/// A sound to write, at most full scale; `quieter` counts those that had to be turned down for that.
at::Tensor writable(const Signal& signal, int64_t& quieter) {
  const at::Tensor samples = signal.samples.to(at::kFloat).contiguous();
  const double peak = samples.numel() == 0 ? 0 : samples.abs().max().item<double>();
  if (peak <= 1) return samples;
  ++quieter;
  return samples / peak;
}

bool is_sound(const Signal& signal) {
  return signal.samples.defined() && signal.domain == Domain::audio && signal.samples.dim() == 2 &&
         signal.samples.size(0) <= 64 && signal.rate_hz >= 1'000 && signal.rate_hz <= 768'000 &&
         at::isfinite(signal.samples).all().item<bool>();
}

}  // namespace

std::vector<std::string> write_preview(Preview& preview, const fs::path& folder) {
  struct Sound {
    std::string name;
    const Signal* signal;
  };
  std::vector<Sound> sounds;
  std::vector<std::string> names = {kList, "preview.png"};
  ordered_json items = ordered_json::array();
  for (size_t i = 0; i < preview.items.size(); ++i) {
    const PreviewItem& item = preview.items[i];
    const std::string stem = fmt::format("{:03}_{}_{}", i + 1, file_name_part(item.label), file_name_part(item.id));
    ordered_json entry{{"item", item.id}, {"row", item.row}, {"class", item.label}};
    const auto add = [&](const char* what, const Signal& signal) {
      if (!is_sound(signal)) return;
      sounds.push_back({fmt::format("{}_{}.wav", stem, what), &signal});
      names.push_back(sounds.back().name);
      entry[what] = sounds.back().name;
    };
    add("original", item.original);
    add("augmented", item.augmented_signal);
    if (!item.augmented_label.empty()) entry["augmented_class"] = item.augmented_label;
    items.push_back(std::move(entry));
  }

  const std::set<std::string> earlier = files_of_earlier(folder);
  for (const std::string& name : names) {
    if (fs::exists(fs::symlink_status(folder / name)) && earlier.count(name) == 0) {
      throw InputError("PREVIEW", (folder / name).string(), "",
                       "is there already and no earlier preview wrote it; choose another folder with -o");
    }
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw EnvironmentError("FILE", folder.string(), "cannot create folder: " + error.message());
  for (const std::string& name : earlier) {
    if (name != kList) fs::remove(folder / name, error);
  }
  // The list first, so that whatever is written hereafter is known as a preview's.
  const ordered_json list{{"amae_preview", 1},         {"dataset", preview.dataset},  {"seed", preview.seed},
                          {"epoch", preview.epoch},    {"transforms", preview.chain}, {"files", names},
                          {"items", std::move(items)}, {"notes", preview.notes}};
  write_file(folder / kList, list.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  int64_t quieter = 0;
  for (const Sound& sound : sounds)
    write_wav(folder / sound.name, writable(*sound.signal, quieter), sound.signal->rate_hz);
  if (quieter > 0)
    preview.notes.push_back(fmt::format("{} sounds go beyond full scale and were turned down to be written", quieter));
  draw_preview(preview).save(folder / "preview.png");
  return names;
}

}  // namespace amae
