// Residual network over spectrograms, or in one dimension over IQ frames. Plain LibTorch: only plugin.cpp speaks to the
// loader.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include <string>
#include <utility>
#include <vector>

#include "amae/encoder.h"
#include "amae/options.h"
#include "amae/signal.h"

namespace amae {

/// The 18- and 34-layer networks of the paper are depths [2, 2, 2, 2] and [3, 4, 6, 3] with width 64, stem_kernel 7,
/// stem_stride 2, stem_pool true. The defaults keep more resolution: spectrograms are smaller than photographs.
struct ResNetOptions {
  std::vector<int64_t> depths = {2, 2, 2, 2};  ///< residual blocks of each stage
  int64_t width = 64;                          ///< channels of the first stage; every further stage doubles
  std::vector<int64_t> widths = {};            ///< channels of each stage; overrides width when not empty
  int64_t stem_kernel = 5;                     ///< odd
  int64_t stem_stride = 2;
  bool stem_pool = false;  ///< 3x3 max pool of stride 2 after the stem
  std::string block = "basic";
  bool squeeze_excitation = false;
  int64_t reduction = 16;        ///< of squeeze_excitation: hidden width is channels / reduction, at least 8
  std::string pooling = "mean";  ///< mean: over F and T | mean_max: mean over F, then mean and max over T, concatenated
  bool zero_init_residual = true;

  void describe(Fields& f);
  void check() const;
};

/// Stem (convolution, batch norm, ReLU, optional max pool) and stages of residual blocks; from the second stage on, the
/// first block of a stage halves F and T. No classifier.
///
/// Source: He, Zhang, Ren, Sun 2015, arXiv:1512.03385; bottleneck with the stride on the 3x3 convolution and parameter
/// names as in torchvision (conv1, bn1, layer1.0.conv1, layer1.0.downsample.0, …). Squeeze and excitation: Hu et al.
/// 2017, arXiv:1709.01507, before the addition, under "se.fc1" and "se.fc2".
/// Initialisation: convolutions normal with standard deviation sqrt(2 / fan_out), biases 0, batch-norm weights 1, but 0
/// for the last one of each block with zero_init_residual, so that every block starts as the identity (Goyal et al.
/// 2017, arXiv:1706.02677, section 5.1).
/// Shapes: B batch, C channels, F frequency bins, T frames, N samples, D width(); x [B, C, F, T] float32 -> [B, D]. Any
/// F, T >= 1. IQ [B, 2, N] is a picture of one row, F = 1 and T = N. For IQ, and for spectrograms of one bin, kernels,
/// strides and pools lie along T alone (1x3 for 3x3): convolutions in one dimension; rows of padding would be all that
/// the rest of a kernel ever saw.
class ResNet final : public Encoder {
 public:
  /// `input` gives C; F and T may vary. Throws InputError (field "input") when it is neither IQ [2, N] nor a
  /// spectrogram with a fixed number of channels, and what options.check() throws.
  ResNet(const ResNetOptions& options, const Spec& input);

  /// Throws InputError (field "input") when x is not [B, C, F, T], or for IQ [B, 2, N].
  torch::Tensor forward(const torch::Tensor& x) override;

  /// Channels of the last stage (four times that for bottleneck blocks); doubled by mean_max.
  [[nodiscard]] int64_t width() const override { return width_; }

  /// "stem" and "layer1" … in order, each [B, C', F', T'], or for IQ [B, C', N'].
  std::vector<std::pair<std::string, torch::Tensor>> feature_maps(const torch::Tensor& x) override;

  /// Number of stages + 1; the stem is group 0, "layerK" group K.
  [[nodiscard]] int64_t depth() const override { return static_cast<int64_t>(stages_.size()) + 1; }
  [[nodiscard]] int64_t layer_of(const std::string& parameter) const override;

  /// Memory layout of convolution weights and activations: ChannelsLast, the default, or Contiguous. Values, names and
  /// shapes are the same in both; only the speed differs: channels-last trains 1.5 times as fast on two cores
  /// (bench/resnet_step). Loading weights should copy into the parameters, not replace them, to keep it so.
  void use_memory_format(torch::MemoryFormat format);

 private:
  torch::Tensor stem(const torch::Tensor& x);

  int64_t channels_;
  bool frames_;   // x is [B, C, N]
  bool one_row_;  // F = 1
  bool stem_pool_;
  bool mean_max_;
  int64_t width_ = 0;
  torch::MemoryFormat format_ = torch::MemoryFormat::Contiguous;
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
  std::vector<torch::nn::Sequential> stages_;
};

}  // namespace amae
