// The saving half of Trainer: RUN/checkpoints/{last,best}/.
//
//   last/  model.safetensors, ema.safetensors, the bundle's files, and what resuming needs: optim.safetensors,
//   state.json best/  the bundle alone
#include <fmt/format.h>
#include <torch/types.h>

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "io/safetensors.h"
#include "train/bundle.h"
#include "train/trainer.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

constexpr int kStateFormat = 2;

// Sums are continued after a resume, so every bit of them must survive the file.
std::string exact(double value) { return fmt::format("{:a}", value); }
double exact(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

TrainState read_state(const fs::path& file) {
  try {
    const auto json = nlohmann::json::parse(read_file(file, 1 << 20));
    if (const int format = json.value("format", 0); format != kStateFormat) {
      throw InputError("CKPT", file.string(), "format",
                       fmt::format("got {}, expected {}: written by another amae, which alone can go on with it",
                                   format, kStateFormat));
    }
    TrainState s;
    s.epoch = json.at("epoch");
    s.batch = json.at("batch");
    s.step = json.at("step");
    for (const auto& [name, sum] : json.at("sums").items()) s.sums[name] = exact(sum.get<std::string>());
    s.norm_sum = exact(json.at("norm_sum").get<std::string>());
    s.seen = json.at("seen");
    s.steps_in_epoch = json.at("steps_in_epoch");
    s.best = exact(json.at("best").get<std::string>());
    s.best_epoch = json.at("best_epoch");
    s.stopped_early = json.at("stopped_early");
    return s;
  } catch (const nlohmann::json::exception& error) {
    throw InputError("CKPT", file.string(), "", std::string("cannot be read: ") + error.what());
  }
}

}  // namespace

void Trainer::write_state(const fs::path& file) const {
  const TrainState& s = state_;
  nlohmann::ordered_json sums = nlohmann::ordered_json::object();
  for (const auto& [name, sum] : s.sums) sums[name] = exact(sum);
  const nlohmann::ordered_json json{{"format", kStateFormat},
                                    {"epoch", s.epoch},
                                    {"batch", s.batch},
                                    {"step", s.step},
                                    {"sums", std::move(sums)},
                                    {"norm_sum", exact(s.norm_sum)},
                                    {"seen", s.seen},
                                    {"steps_in_epoch", s.steps_in_epoch},
                                    {"best", exact(s.best)},
                                    {"best_epoch", s.best_epoch},
                                    {"stopped_early", s.stopped_early}};
  write_file(file, json.dump(2) + "\n");
}

void Trainer::save(const std::string& name) {
  AtomicFolder folder(setup_.run / "checkpoints" / name);
  const std::string weights = ema_ ? "ema.safetensors" : "model.safetensors";
  write_safetensors(folder.path() / "model.safetensors", tensors_of(module()));
  with_averages([&] {
    if (ema_) write_safetensors(folder.path() / "ema.safetensors", tensors_of(module()));
    setup_.write_bundle(folder.path(), weights);
  });
  if (name == "last") {
    TensorDict optim = optimizer_.state();
    if (ema_) optim["ema.updates"] = ema_->state().at("ema.updates");
    write_safetensors(folder.path() / "optim.safetensors", optim);
    write_state(folder.path() / "state.json");
    saved_at_ = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  write_checksums(folder.path());
  folder.commit();
}

bool Trainer::restore() {
  std::error_code ignored;
  for (const auto& entry :
       fs::directory_iterator(setup_.run / "checkpoints", ignored)) {  // left by a killed process; ours is the only one
    if (entry.path().filename().string().find(".tmp-") != std::string::npos) fs::remove_all(entry.path(), ignored);
  }
  const fs::path folder = setup_.run / "checkpoints/last";
  if (!fs::exists(folder)) return false;
  verify_checksums(folder);
  TrainState state = read_state(folder / "state.json");
  load_weights(module(), read_safetensors(folder / "model.safetensors"), (folder / "model.safetensors").string());
  TensorDict optim = read_safetensors(folder / "optim.safetensors");
  if (ema_) {
    TensorDict averages = read_safetensors(folder / "ema.safetensors");
    if (const auto updates = optim.find("ema.updates"); updates != optim.end()) {
      averages["ema.updates"] = updates->second;
      optim.erase(updates);
    }
    ema_->load_state(averages);
  }
  optimizer_.load_state(optim);
  state_ = std::move(state);
  return true;
}

}  // namespace amae
