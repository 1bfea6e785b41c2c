// Time of one training step of the ResNet plugin with channels-last against contiguous memory, measured in pairs in one
// run so that the machine's mood cancels.
//
//   resnet_step [pairs=10] [batch=32] [width=24]
//
// Prints the median of each and of the ratio contiguous / channels_last (above 1: channels-last is faster).

#include <torch/nn/modules/linear.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "plugins/models/resnet/resnet.h"
#include "train/loss.h"
#include "train/optimizer.h"

namespace {

constexpr int64_t kClasses = 10;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// A network with its head and optimizer; step() trains once and returns milliseconds.
class Trainee {
 public:
  Trainee(int64_t width, torch::MemoryFormat format)
      : net_({.width = width}, {amae::Domain::spectrogram, {1, 64, 188}, 62.5}), head_(net_.width(), kClasses) {
    net_.use_memory_format(format);
    std::vector<amae::NamedParameter> parameters;
    for (const auto& p : net_.named_parameters()) parameters.push_back({p.key(), p.value()});
    for (const auto& p : head_->named_parameters()) parameters.push_back({"head." + p.key(), p.value()});
    optimizer_ = std::make_unique<amae::Optimizer>(amae::OptimOptions{.name = "sgd"}, parameters);
  }

  double step(const torch::Tensor& x, const torch::Tensor& y) {
    const auto start = std::chrono::steady_clock::now();
    const auto loss = amae::item_losses({}, head_->forward(net_.forward(x)), y).mean();
    loss.backward();
    optimizer_->clip(0);
    optimizer_->step(0.01);
    optimizer_->zero_grad();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  amae::ResNet net_;
  torch::nn::Linear head_;
  std::unique_ptr<amae::Optimizer> optimizer_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, int64_t fallback) { return i < argc ? std::atoll(argv[i]) : fallback; };
  const int64_t pairs = std::max<int64_t>(argument(1, 10), 1);
  const int64_t batch = argument(2, 32);
  const int64_t width = argument(3, 24);

  torch::manual_seed(0);
  const auto x = torch::randn({batch, 1, 64, 188});
  const auto y = torch::one_hot(torch::randint(kClasses, {batch}, torch::kInt64), kClasses).to(torch::kFloat);
  Trainee last(width, torch::MemoryFormat::ChannelsLast);
  Trainee contiguous(width, torch::MemoryFormat::Contiguous);
  for (int i = 0; i < 2; ++i) {
    last.step(x, y);
    contiguous.step(x, y);
  }
  std::vector<double> a, b, ratio;
  for (int64_t i = 0; i < pairs; ++i) {
    a.push_back(last.step(x, y));
    b.push_back(contiguous.step(x, y));
    ratio.push_back(b.back() / a.back());
  }
  std::printf("batch %lld of [1, 64, 188], depths 2 2 2 2, width %lld, %d threads, %lld pairs\n",
              static_cast<long long>(batch), static_cast<long long>(width), torch::get_num_threads(),
              static_cast<long long>(pairs));
  std::printf("channels_last %.1f ms/step   contiguous %.1f ms/step   ratio %.3f\n", median(a), median(b),
              median(ratio));
  return 0;
}
