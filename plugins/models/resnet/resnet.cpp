#include "resnet.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/nn/init.h>
#include <torch/utils.h>

#include <algorithm>

#include "amae/error.h"

namespace amae {
namespace {

constexpr int64_t kBottleneckExpansion = 4;
constexpr size_t kMostStages = 8;
constexpr int64_t kLeastSqueezed =
    8;  // a gate of one or two hidden units, as narrow networks would get, learns nothing

/// `one_row`: F = 1, so that the kernel lies along T alone: a convolution in one dimension.
torch::nn::Conv2d conv(int64_t in, int64_t out, int64_t kernel, int64_t stride, bool one_row) {
  const auto sides = [](int64_t f, int64_t t) { return torch::ExpandingArray<2>({f, t}); };
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, sides(one_row ? 1 : kernel, kernel))
                               .stride(sides(one_row ? 1 : stride, stride))
                               .padding(sides(one_row ? 0 : kernel / 2, kernel / 2))
                               .bias(false));
}

/// One gate a channel in 0..1, from the mean over F and T: x [B, C, F, T] -> [B, C, 1, 1].
class SqueezeExcitationImpl : public torch::nn::Module {
 public:
  SqueezeExcitationImpl(int64_t channels, int64_t reduction) {
    const int64_t hidden = std::max(channels / reduction, kLeastSqueezed);
    fc1_ = register_module("fc1", torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, hidden, 1)));
    fc2_ = register_module("fc2", torch::nn::Conv2d(torch::nn::Conv2dOptions(hidden, channels, 1)));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    return fc2_->forward(fc1_->forward(x.mean({2, 3}, /*keepdim=*/true)).relu_()).sigmoid_();
  }

 private:
  torch::nn::Conv2d fc1_{nullptr}, fc2_{nullptr};
};
TORCH_MODULE(SqueezeExcitation);

/// y = relu(branch(x) + shortcut(x)); the branch has two 3x3 convolutions, or 1x1, 3x3, 1x1 as a bottleneck.
class BlockImpl : public torch::nn::Module {
 public:
  BlockImpl(int64_t in, int64_t width, int64_t stride, const ResNetOptions& options, bool one_row) : one_row_(one_row) {
    int64_t out = width;
    if (options.block == "bottleneck") {
      out = width * kBottleneckExpansion;
      add(in, width, 1, 1);
      add(width, width, 3, stride);
      add(width, out, 1, 1);
    } else {
      add(in, width, 3, stride);
      add(width, width, 3, 1);
    }
    if (options.squeeze_excitation) se_ = register_module("se", SqueezeExcitation(out, options.reduction));
    if (stride != 1 || in != out) {
      downsample_ = register_module(
          "downsample", torch::nn::Sequential(conv(in, out, 1, stride, one_row_), torch::nn::BatchNorm2d(out)));
    }
  }

  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor y = x;
    for (size_t i = 0; i < convs_.size(); ++i) {
      y = norms_[i]->forward(convs_[i]->forward(y));
      if (i + 1 < convs_.size()) y.relu_();
    }
    if (se_) y = y * se_->forward(y);
    return y.add_(downsample_ ? downsample_->forward(x) : x).relu_();
  }

  torch::nn::BatchNorm2d& last_norm() { return norms_.back(); }

 private:
  void add(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
    const auto number = std::to_string(convs_.size() + 1);
    convs_.push_back(register_module("conv" + number, conv(in, out, kernel, stride, one_row_)));
    norms_.push_back(register_module("bn" + number, torch::nn::BatchNorm2d(out)));
  }

  bool one_row_;
  std::vector<torch::nn::Conv2d> convs_;
  std::vector<torch::nn::BatchNorm2d> norms_;
  SqueezeExcitation se_{nullptr};
  torch::nn::Sequential downsample_{nullptr};
};
TORCH_MODULE(Block);

/// The channels of `input`, once it is known to be what the network takes.
int64_t checked_channels(const Spec& input) {
  const size_t axes = input.domain == Domain::iq ? 2 : 3;
  if (input.domain == Domain::audio || input.shape.size() != axes) {
    throw InputError(
        "MODEL-INPUT", "", "input",
        fmt::format("got {} ({} dimensions), expected spectrogram [C, F, T] (3 dimensions) or iq [2, N]; add a "
                    "transform that makes spectrograms",
                    input.text(), input.shape.size()));
  }
  if (input.domain == Domain::iq && input.shape[0] != 2) {
    throw InputError("MODEL-INPUT", "", "input", fmt::format("got {}, expected rows I and Q: iq [2, N]", input.text()));
  }
  if (input.shape[0] < 1) {
    throw InputError("MODEL-INPUT", "", "input",
                     fmt::format("got {} with {} channels, expected a fixed number of at least 1; mix the recordings "
                                 "down to one channel",
                                 input.text(), input.shape[0]));
  }
  return input.shape[0];
}

}  // namespace

void ResNetOptions::describe(Fields& f) {
  f.add("depths", depths, "residual blocks of each stage").range(1, 100);
  f.add("width", width, "channels of the first stage; every further stage doubles").range(1, 1024);
  f.add("widths", widths, "channels of each stage; overrides width when not empty").range(1, 8192);
  f.add("stem_kernel", stem_kernel, "kernel size of the first convolution, odd").range(1, 31);
  f.add("stem_stride", stem_stride, "stride of the first convolution, along every axis").range(1, 8);
  f.add("stem_pool", stem_pool, "3x3 max pool of stride 2 after the stem");
  f.add("block", block,
        "two 3x3 convolutions (of IQ: of 3 samples), or 1x1, 3x3, 1x1 with four times the output channels")
      .choices({"basic", "bottleneck"});
  f.add("squeeze_excitation", squeeze_excitation, "gate the channels of each block by their mean");
  f.add("reduction", reduction, "squeeze_excitation: hidden width is channels / reduction, at least 8").range(1, 256);
  f.add("pooling", pooling, "mean over F and T, or mean over F then mean and max over T, which doubles the features")
      .choices({"mean", "mean_max"});
  f.add("zero_init_residual", zero_init_residual, "every block starts as the identity");
}

void ResNetOptions::check() const {
  std::vector<Problem> problems;
  if (depths.empty()) {
    problems.push_back({"CFG-RANGE", "", "depths", "got [], expected at least one stage; for example [2, 2, 2, 2]"});
  }
  if (depths.size() > kMostStages) {  // beyond, width << stage leaves any memory
    problems.push_back(
        {"CFG-RANGE", "", "depths",
         fmt::format("got {} stages, expected at most {}; most networks have 4", depths.size(), kMostStages)});
  }
  if (!widths.empty() && widths.size() != depths.size()) {
    problems.push_back({"CFG-RANGE", "", "widths",
                        fmt::format("got {} values {}, expected {}, one for each stage of depths {}", widths.size(),
                                    widths, depths.size(), depths)});
  }
  if (stem_kernel % 2 == 0) {
    problems.push_back({"CFG-RANGE", "", "stem_kernel",
                        fmt::format("got {}, expected an odd number; try {}", stem_kernel, stem_kernel + 1)});
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

ResNet::ResNet(const ResNetOptions& options, const Spec& input)
    : channels_(checked_channels(input)),
      frames_(input.domain == Domain::iq),
      one_row_(frames_ || input.shape[1] == 1),
      stem_pool_(options.stem_pool),
      mean_max_(options.pooling == "mean_max") {
  options.check();
  int64_t in = options.widths.empty() ? options.width : options.widths[0];
  conv1_ = register_module("conv1", conv(channels_, in, options.stem_kernel, options.stem_stride, one_row_));
  bn1_ = register_module("bn1", torch::nn::BatchNorm2d(in));
  std::vector<Block> blocks;
  for (size_t stage = 0; stage < options.depths.size(); ++stage) {
    const int64_t width = options.widths.empty() ? options.width << stage : options.widths[stage];
    torch::nn::Sequential layer;
    for (int64_t i = 0; i < options.depths[stage]; ++i) {
      blocks.emplace_back(in, width, i == 0 && stage > 0 ? 2 : 1, options, one_row_);
      layer->push_back(blocks.back());
      in = options.block == "bottleneck" ? width * kBottleneckExpansion : width;
    }
    stages_.push_back(register_module("layer" + std::to_string(stage + 1), layer));
  }
  width_ = mean_max_ ? 2 * in : in;

  const torch::NoGradGuard no_grad;
  for (const auto& module : modules(/*include_self=*/false)) {
    if (auto* c = module->as<torch::nn::Conv2d>()) {
      torch::nn::init::kaiming_normal_(c->weight, 0.0, torch::kFanOut, torch::kReLU);
      if (c->bias.defined()) c->bias.zero_();
    }
  }
  if (options.zero_init_residual) {
    for (auto& block : blocks) block->last_norm()->weight.zero_();
  }
  // Last, so that the random numbers land on the same weights whatever the layout.
  use_memory_format(torch::MemoryFormat::ChannelsLast);
}

torch::Tensor ResNet::stem(const torch::Tensor& x) {
  if (x.dim() != (frames_ ? 3 : 4) || x.size(1) != channels_) {
    throw InputError(
        "MODEL-INPUT", "", "input",
        fmt::format("got x [{}] with {} channels, expected [B, {}, {}] with {}", fmt::join(x.sizes(), ", "),
                    x.dim() > 1 ? x.size(1) : 0, channels_, frames_ ? "N" : "F, T", channels_));
  }
  const torch::Tensor picture = frames_ ? x.unsqueeze(2) : x;
  // to(), not contiguous(): with one channel every layout counts as contiguous, and the strides decide which kernels
  // run.
  torch::Tensor y = bn1_->forward(conv1_->forward(picture.to(picture.options(), false, false, format_))).relu_();
  if (!stem_pool_) return y;
  return one_row_ ? torch::max_pool2d(y, {1, 3}, {1, 2}, {0, 1}) : torch::max_pool2d(y, 3, 2, 1);
}

torch::Tensor ResNet::forward(const torch::Tensor& x) {
  torch::Tensor y = stem(x);
  for (auto& stage : stages_) y = stage->forward(y);
  if (!mean_max_) return y.mean({2, 3});
  y = y.mean(2);
  return torch::cat({y.mean(2), y.amax(2)}, 1);
}

std::vector<std::pair<std::string, torch::Tensor>> ResNet::feature_maps(const torch::Tensor& x) {
  const torch::NoGradGuard no_grad;
  struct EvalGuard {
    ResNet& net;
    bool was_training;
    ~EvalGuard() { net.train(was_training); }
  } const guard{*this, is_training()};
  eval();
  std::vector<std::pair<std::string, torch::Tensor>> maps{{"stem", stem(x)}};
  for (size_t i = 0; i < stages_.size(); ++i) {
    maps.emplace_back("layer" + std::to_string(i + 1), stages_[i]->forward(maps.back().second));
  }
  if (frames_) {
    for (auto& [name, map] : maps) map = map.squeeze(2);
  }
  return maps;
}

int64_t ResNet::layer_of(const std::string& parameter) const {
  if (!parameter.starts_with("layer")) return 0;
  return std::stoll(parameter.substr(std::string("layer").size()));
}

void ResNet::use_memory_format(torch::MemoryFormat format) {
  format_ = format;
  for (auto& parameter : parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.detach().to(parameter.options(), false, false, format));
  }
}

}  // namespace amae
