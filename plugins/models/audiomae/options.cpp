#include "options.h"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

#include "amae/error.h"

namespace amae {
namespace {

const std::map<std::string, AudioMaeSize>& named_sizes() {
  static const std::map<std::string, AudioMaeSize> sizes = {
      {"tiny", {192, 12, 3, 384, 4, 8}},  {"small", {384, 12, 6, 384, 4, 8}},   {"medium", {512, 12, 8, 384, 4, 8}},
      {"base", {768, 12, 12, 384, 4, 8}}, {"large", {1024, 24, 16, 512, 4, 8}}, {"custom", {0, 0, 0, 384, 4, 8}},
  };
  return sizes;
}

/// What the width and heads of one half (prefix "" or "decoder_") have to do with each other.
void check_half(const AudioMaeOptions& options, const std::string& prefix, int64_t dim, int64_t heads,
                std::vector<Problem>& problems) {
  if (dim % heads != 0) {
    problems.push_back({"CFG-RANGE", "", prefix + "heads",
                        fmt::format("got {}, expected a divisor of {}dim = {}", heads, prefix, dim)});
  } else if (options.rope && dim / heads % 4 != 0) {
    problems.push_back({"CFG-RANGE", "", prefix + "heads",
                        fmt::format("got {} with {}dim = {}, expected a head width that 4 divides, as rope turns pairs "
                                    "for two axes, got {}",
                                    heads, prefix, dim, dim / heads)});
  }
  if (dim % 4 != 0) {
    problems.push_back({"CFG-RANGE", "", prefix + "dim",
                        fmt::format("got {}, expected a multiple of 4: sine and cosine for two axes; try {}", dim,
                                    (dim + 3) / 4 * 4)});
  }
}

}  // namespace

void AudioMaeOptions::describe(Fields& f) {
  f.add("size", size, "gives every dimension that is 0; custom: dim, depth and heads must be given")
      .choices({"tiny", "small", "medium", "base", "large", "custom"});
  f.add("dim", dim, "width of the encoder; 0: from size").range(0, 8192);
  f.add("depth", depth, "blocks of the encoder; 0: from size").range(0, 200);
  f.add("heads", heads, "attention heads of the encoder; 0: from size").range(0, 256);
  f.add("mlp_ratio", mlp_ratio, "hidden width of feed-forward parts over the block's width; two thirds of it in SwiGLU")
      .range(0.25, 64);
  f.add("decoder_dim", decoder_dim, "width of the decoder, which exists in pretraining only; 0: from size")
      .range(0, 8192);
  f.add("decoder_depth", decoder_depth, "blocks of the decoder; 0: from size").range(0, 200);
  f.add("decoder_heads", decoder_heads, "attention heads of the decoder; 0: from size").range(0, 256);
  f.add("patch_time", patch_time, "frames of a patch; samples for audio and IQ").range(1, 65536);
  f.add("patch_frequency", patch_frequency, "frequency bins of a patch; audio and IQ have one row, whatever this says")
      .range(1, 8192);
  f.add("form", form,
        "corrected: three norms and two half steps a block; official_compat: the published code, for its weights")
      .choices({"corrected", "official_compat"});
  f.add("blocks", blocks, "macaron: feed-forward, attention, gated feed-forward; vit: attention, feed-forward")
      .choices({"macaron", "vit"});
  f.add("positions", positions, "added to the encoder's tokens: fixed sines of time and frequency, learned, or none")
      .choices({"sincos", "learned", "none"});
  f.add("decoder_positions", decoder_positions,
        "fixed sines of the token number, or of time and frequency; auto: sincos_1d in official_compat")
      .choices({"auto", "sincos_1d", "sincos_2d"});
  f.add("rope", rope, "turn queries and keys by their time and frequency, beside the added positions");
  f.add("rope_base", rope_base, "rope: larger turns the slow pairs more slowly").range(1, 1e6);
  f.add("normalized_target", normalized_target, "reconstruct each patch scaled to mean 0 and variance 1");
  f.add("cls_token", cls_token, "one more token that stands for no patch");
  f.add("drop_path", drop_path,
        "training: chance to skip a branch of the last block, falling linearly to 0 at the first")
      .range(0, 0.9);
  f.add("token_drop", token_drop, "training: share of the tokens left out; not in pretraining, which hides its own")
      .range(0, 0.95);
  f.add("pooling", pooling,
        "features: mean over the patch tokens, the cls token, or the mean over time of each band, one after the other")
      .choices({"mean", "cls", "mean_frequency"});
}

void AudioMaeOptions::check() const {
  const AudioMaeSize d = audiomae_size(*this);
  std::vector<Problem> problems;
  check_half(*this, "", d.dim, d.heads, problems);
  check_half(*this, "decoder_", d.decoder_dim, d.decoder_heads, problems);
  if (pooling == "cls" && !cls_token) {
    problems.push_back({"CFG-RANGE", "", "pooling", "got cls without cls_token, expected mean or mean_frequency"});
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

AudioMaeSize audiomae_size(const AudioMaeOptions& o) {
  AudioMaeSize d = named_sizes().at(o.size);
  const auto override_with = [](int64_t& value, int64_t given) {
    if (given != 0) value = given;
  };
  override_with(d.dim, o.dim);
  override_with(d.depth, o.depth);
  override_with(d.heads, o.heads);
  override_with(d.decoder_dim, o.decoder_dim);
  override_with(d.decoder_depth, o.decoder_depth);
  override_with(d.decoder_heads, o.decoder_heads);
  if (d.dim == 0 || d.depth == 0 || d.heads == 0) {
    throw InputError("CFG-RANGE", "", "size",
                     fmt::format("got custom with dim = {}, depth = {}, heads = {}, expected all three above 0", d.dim,
                                 d.depth, d.heads));
  }
  return d;
}

}  // namespace amae
