#include "serve/model_owner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "serve/workers.h"
#include "train/evaluate.h"
#include "train/features.h"
#include "train/masking.h"
#include "train/reconstruction.h"

namespace amae::serve {
namespace {

/// Which patches are hidden for people to see: the same ones for the same ratio.
constexpr uint64_t kMaskSeed = 1;

bool go_together(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) { return x.sizes() == y.sizes(); });
}

}  // namespace

ModelOwner::ModelOwner(const Bundle& bundle, torch::Device device, const BatchOptions& options,
                       std::function<void(int64_t, double)> computed)
    : bundle_(bundle), device_(device), options_(options), computed_(std::move(computed)), thread_([this] { run(); }) {}

ModelOwner::~ModelOwner() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
}

ModelOwner::Announced::Announced(ModelOwner& owner) : owner_(owner) {
  const std::lock_guard lock(owner_.mutex_);
  ++owner_.announced_;
}

ModelOwner::Announced::~Announced() {
  {
    const std::lock_guard lock(owner_.mutex_);
    --owner_.announced_;
  }
  owner_.changed_.notify_all();
}

void ModelOwner::add(Clip clip) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({std::move(clip), nullptr, Clock::now()});
  }
  changed_.notify_all();
}

void ModelOwner::add_alone(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({{}, std::move(work), Clock::now()});
  }
  changed_.notify_all();
}

int64_t ModelOwner::waiting() const {
  const std::lock_guard lock(mutex_);
  return std::ssize(queue_);
}

std::vector<ModelOwner::Waiting> ModelOwner::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ends_ || !queue_.empty(); });
  std::vector<Waiting> batch;
  if (queue_.empty()) return batch;
  batch.push_back(std::move(queue_.front()));
  queue_.pop_front();
  if (batch[0].alone) return batch;
  const auto until = Clock::now() + options_.max_wait;
  while (true) {
    for (auto at = queue_.begin(); at != queue_.end() && std::ssize(batch) < options_.max_batch;) {
      if (at->alone || !go_together(at->clip.views, batch[0].clip.views)) {
        ++at;
        continue;
      }
      batch.push_back(std::move(*at));
      at = queue_.erase(at);
    }
    if (std::ssize(batch) >= options_.max_batch || announced_ == 0 || ends_ || Clock::now() >= until) return batch;
    changed_.wait_until(lock, until);
  }
}

void ModelOwner::run() {
  give_way_to_listening();
  while (true) {
    std::vector<Waiting> batch = next();
    if (batch.empty()) return;
    if (batch[0].alone) {
      batch[0].alone();
      continue;
    }
    std::erase_if(batch, [](const Waiting& waiting) {
      const bool is_gone = waiting.clip.gone && waiting.clip.gone();
      if (is_gone) waiting.clip.failed(nullptr);
      return is_gone;
    });
    if (!batch.empty()) compute(batch);
  }
}

std::vector<torch::Tensor> ModelOwner::probabilities(const std::vector<Waiting>& batch) const {
  if (batch.size() == 1)
    return amae::probabilities(*bundle_.model, batch[0].clip.views, bundle_.info.multi_label, device_).unbind(0);
  std::vector<torch::Tensor> views;
  for (size_t view = 0; view < batch[0].clip.views.size(); ++view) {
    std::vector<torch::Tensor> x;
    for (const Waiting& waiting : batch) x.push_back(waiting.clip.views[view]);
    views.push_back(torch::cat(x));
  }
  return amae::probabilities(*bundle_.model, views, bundle_.info.multi_label, device_).unbind(0);
}

void ModelOwner::compute(std::vector<Waiting>& batch) const {
  const auto begin = Clock::now();
  std::vector<torch::Tensor> rows(batch.size());
  try {
    if (bundle_.model->has_head()) rows = probabilities(batch);
  } catch (...) {
    if (batch.size() == 1) return batch[0].clip.failed(std::current_exception());
    for (Waiting& waiting : batch) {  // one of them is to blame, and the others are not
      std::vector<Waiting> alone;
      alone.push_back(std::move(waiting));
      compute(alone);
    }
    return;
  }
  const double model_ms = ms_since(begin);
  computed_(std::ssize(batch), model_ms / 1000);
  for (size_t i = 0; i < batch.size(); ++i) {
    const Clip& clip = batch[i].clip;
    try {
      Inference answer;
      answer.probabilities = rows[i];
      answer.batch = std::ssize(batch);
      answer.queue_ms = ms_between(batch[i].since, begin);
      const auto extras = Clock::now();
      add_extras(clip, answer);
      answer.model_ms = model_ms + ms_since(extras);
      if (rows[i].defined() && !torch::isfinite(rows[i]).all().item<bool>()) {
        throw DivergenceError("", bundle_.model->not_finite_because(clip.views[0].to(device_), rows[i]));
      }
      clip.done(std::move(answer));
    } catch (...) {
      clip.failed(std::current_exception());
    }
  }
}

void ModelOwner::add_extras(const Clip& clip, Inference& answer) const {
  const torch::NoGradGuard no_grad;
  Encoder& encoder = bundle_.model->encoder();
  const torch::Tensor x = clip.views[0].to(device_);
  if (clip.extras.maps) {
    for (auto& [name, map] : encoder.feature_maps(x))
      answer.maps.emplace_back(name, map.to(torch::kCPU, torch::kFloat));
  }
  auto* const autoencoder = dynamic_cast<MaskedAutoencoder*>(&encoder);
  if (clip.extras.mask_ratio <= 0 || autoencoder == nullptr) return;
  MaskOptions mask;
  mask.ratio = clip.extras.mask_ratio;
  Draw draw(kMaskSeed, 0, 0, 0);
  const TokenGrid grid = autoencoder->token_grid();
  const std::vector<int64_t> kept = draw_kept(mask, grid, draw);
  const Reconstruction made = autoencoder->reconstruct(x, torch::tensor(kept).unsqueeze(0).to(device_));
  answer.loss = made.losses[0].item<double>();
  answer.prediction = made.prediction[0].to(torch::kCPU, torch::kFloat);
  answer.hidden = hidden_part(grid, kept, clip.views[0][0].to(torch::kCPU), answer.prediction);
}

}  // namespace amae::serve
