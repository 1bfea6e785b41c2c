#include "audiomae.h"

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/nn/functional/upsampling.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "amae/error.h"
#include "positions.h"
#include "reconstruction_loss.h"

namespace amae {

using audiomae::Rotation;

namespace {

[[noreturn]] void refuse(const std::string& field, const std::string& message) {
  throw InputError("MODEL-INPUT", "", field, message);
}

/// [C, F, T] of the input; F = 1 for a waveform, T = -1 where it is open.
std::vector<int64_t> checked_sizes(const Spec& input, bool fixed_time) {
  std::vector<int64_t> sizes = input.shape;
  if (sizes.size() == 2) sizes.insert(sizes.begin() + 1, 1);
  if (sizes.size() != 3) {
    refuse("input", fmt::format("got {} ({} dimensions), expected [C, F, T] or [C, N]", input.text(), sizes.size()));
  }
  if (sizes[0] < 1 || sizes[1] < 1) {
    refuse("input", fmt::format("got {}, expected a fixed number of channels{}", input.text(),
                                input.shape.size() == 3 ? " and frequency bins" : ""));
  }
  if (fixed_time && sizes[2] < 1) {
    refuse("input", fmt::format("got {}, expected a fixed length, as reconstruction and learned positions need one; "
                                "add a transform that crops",
                                input.text()));
  }
  return sizes;
}

/// Learned positions [1, steps * bands, D] of another number of steps.
torch::Tensor interpolated(const torch::Tensor& positions, int64_t bands, int64_t steps) {
  namespace F = torch::nn::functional;
  const auto rows = positions.unflatten(1, {-1, bands}).flatten(2).transpose(1, 2);  // [1, bands * D, steps]
  const auto options =
      F::InterpolateFuncOptions().size(std::vector<int64_t>{steps}).mode(torch::kLinear).align_corners(false);
  return F::interpolate(rows, options).transpose(1, 2).reshape({1, steps * bands, -1});
}

/// Rows of a table [M, W] by index [B, N] -> [B, N, W].
torch::Tensor rows_of(const torch::Tensor& table, const torch::Tensor& index) {
  return table.index_select(0, index.flatten()).view({index.size(0), index.size(1), -1});
}

/// Tokens [B, L, D] -> [B, D, bands, steps].
torch::Tensor as_map(const torch::Tensor& tokens, const TokenGrid& grid) {
  return tokens.unflatten(1, {grid.steps, grid.bands}).permute({0, 3, 2, 1}).contiguous();
}

}  // namespace

struct AudioMae::Tables {
  TokenGrid grid;
  torch::TensorOptions options;         // type and device
  torch::Tensor positions;              // [L, D], fixed positions only
  torch::Tensor decoder_positions;      // [L, decoder_dim], with a decoder only
  Rotation rotation, decoder_rotation;  // [first_patch() + L, head width], rope only; the cls token stays unturned
};

AudioMae::AudioMae(const AudioMaeOptions& options, const Spec& input, bool reconstructs)
    : options_(options), input_(input) {
  options.check();
  size_ = audiomae_size(options);
  const bool learned = options.positions == "learned";
  const auto sizes = checked_sizes(input, reconstructs || learned);
  channels_ = sizes[0];
  patch_ = {options.patch_time, input.shape.size() == 2 ? 1 : options.patch_frequency};
  if (sizes[1] % patch_.frequency != 0) {
    int64_t divisor = std::min(patch_.frequency, sizes[1]);
    while (sizes[1] % divisor != 0) --divisor;
    refuse("patch_frequency", fmt::format("got {}, expected a divisor of the {} frequency bins; try {}",
                                          patch_.frequency, sizes[1], divisor));
  }
  if (sizes[2] >= 0 && sizes[2] < patch_.time) {
    refuse("patch_time", fmt::format("got {}, expected at most the input's {} frames", patch_.time, sizes[2]));
  }
  grid_ = {sizes[1] / patch_.frequency, std::max<int64_t>(sizes[2], 0) / patch_.time};
  const int64_t patch_values = channels_ * patch_.time * patch_.frequency;
  if (options.normalized_target && patch_values < 2) {
    refuse("normalized_target", "got patches of one value, expected at least two to scale");
  }

  if (options.cls_token) cls_token_ = register_parameter("cls_token", torch::zeros({1, 1, size_.dim}));
  if (learned) pos_embed_ = register_parameter("pos_embed", torch::zeros({1, grid_.size(), size_.dim}));
  patch_embed_ = register_module("patch_embed",
                                 audiomae::PatchEmbed(channels_, patch_, size_.dim, options.form == "official_compat"));
  audiomae::BlockOptions block{options.blocks, options.form, size_.dim, size_.heads, options.mlp_ratio, 0.0};
  for (int64_t i = 0; i < size_.depth; ++i) {
    block.drop_path = i == 0 ? 0.0 : options.drop_path * static_cast<double>(i) / static_cast<double>(size_.depth - 1);
    blocks_.push_back(audiomae::make_block(block));
    block_list_->push_back(blocks_.back());
  }
  register_module("blocks", block_list_);
  norm_ = register_module("norm", audiomae::layer_norm(size_.dim));
  audiomae::initialise_linears(*block_list_);
  {
    const torch::NoGradGuard no_grad;
    if (cls_token_.defined()) cls_token_.normal_(0.0, 0.02);
    if (pos_embed_.defined()) pos_embed_.normal_(0.0, 0.02);
  }
  if (reconstructs) {  // after the encoder, whose random numbers it must not move
    block.dim = size_.decoder_dim;
    block.heads = size_.decoder_heads;
    block.drop_path = 0.0;
    decoder_ = register_module(
        "decoder", audiomae::Decoder(size_.dim, block, size_.decoder_depth, options.cls_token, patch_values));
  }
}

int64_t AudioMae::width() const { return options_.pooling == "mean_frequency" ? grid_.bands * size_.dim : size_.dim; }

TokenGrid AudioMae::token_grid() const {
  if (grid_.steps == 0) refuse("input", fmt::format("got {}, expected a fixed length to number tokens", input_.text()));
  return grid_;
}

torch::Tensor AudioMae::as_picture(const torch::Tensor& x) const {
  const bool waveform = input_.shape.size() == 2;
  const int64_t bins = grid_.bands * patch_.frequency;
  if (x.dim() != (waveform ? 3 : 4) || x.size(1) != channels_ || (!waveform && x.size(2) != bins) ||
      x.size(-1) < patch_.time) {
    refuse("input",
           fmt::format("got x [{}], expected [B, {}, {}] with at least {} in the last", fmt::join(x.sizes(), ", "),
                       channels_, waveform ? "N" : fmt::format("{}, T", bins), patch_.time));
  }
  return waveform ? x.unsqueeze(2) : x;
}

TokenGrid AudioMae::grid_of(const torch::Tensor& picture) const { return {grid_.bands, picture.size(3) / patch_.time}; }

AudioMae::Tables AudioMae::tables(const TokenGrid& grid) {
  const auto like = norm_->weight.options().requires_grad(false);
  if (tables_ && tables_->grid.steps == grid.steps && tables_->options.dtype() == like.dtype() &&
      tables_->options.device() == like.device()) {
    return *tables_;
  }
  const c10::InferenceMode usable_in_training(false);  // even if this call is not
  const torch::NoGradGuard no_grad;
  Tables t;
  t.grid = grid;
  t.options = like;
  if (options_.positions == "sincos") t.positions = audiomae::sincos_2d(grid, size_.dim).to(like);
  if (decoder_) {
    const bool flat = options_.decoder_positions == "sincos_1d" ||
                      (options_.decoder_positions == "auto" && options_.form == "official_compat");
    t.decoder_positions = (flat ? audiomae::sincos_1d(torch::arange(grid.size(), torch::kFloat64), size_.decoder_dim)
                                : audiomae::sincos_2d(grid, size_.decoder_dim))
                              .to(like);
  }
  if (options_.rope) {
    const audiomae::Coordinates at = audiomae::coordinates_of(grid);
    const auto padded = [this](const torch::Tensor& c) {  // a turn by 0 for the cls token
      return cls_token_.defined() ? torch::cat({torch::zeros({1}, c.options()), c}) : c;
    };
    const auto rotation = [&](int64_t dim, int64_t heads) {
      const Rotation r = audiomae::rotation_at(padded(at.step), padded(at.band), dim / heads, options_.rope_base);
      return Rotation{r.cos.to(like), r.sin.to(like)};
    };
    t.rotation = rotation(size_.dim, size_.heads);
    if (decoder_) t.decoder_rotation = rotation(size_.decoder_dim, size_.decoder_heads);
  }
  tables_ = std::make_shared<Tables>(t);
  return t;
}

torch::Tensor AudioMae::encode(const torch::Tensor& patches, const TokenGrid& grid, const torch::Tensor& kept,
                               Maps* maps) {
  const Tables table = tables(grid);
  const int64_t batch = patches.size(0), first = first_patch();
  // Only what is visible is embedded: what is hidden costs nothing and cannot leak.
  auto x = patch_embed_->forward(
      kept.defined() ? patches.gather(1, kept.unsqueeze(-1).expand({-1, -1, patches.size(2)})) : patches);
  if (maps != nullptr) maps->emplace_back("patches", as_map(x, grid));
  auto positions = table.positions;
  if (pos_embed_.defined()) {
    positions = grid.steps == grid_.steps ? pos_embed_[0] : interpolated(pos_embed_, grid.bands, grid.steps)[0];
  }
  if (positions.defined()) x = x + (kept.defined() ? rows_of(positions, kept) : positions);
  if (cls_token_.defined()) x = torch::cat({cls_token_.expand({batch, 1, -1}), x}, 1);

  Rotation rotation = table.rotation;
  if (rotation.defined() && kept.defined()) {
    const auto index = first == 0 ? kept : torch::constant_pad_nd(kept + 1, {1, 0}, 0);
    rotation = {rows_of(rotation.cos, index), rows_of(rotation.sin, index)};
  }
  for (size_t i = 0; i < blocks_.size(); ++i) {
    torch::Tensor attention;
    x = blocks_[i]->forward(x, rotation, maps == nullptr ? nullptr : &attention);
    if (maps == nullptr) continue;
    maps->emplace_back(fmt::format("attention{}", i + 1), attention);
    maps->emplace_back(fmt::format("block{}", i + 1), as_map(x.narrow(1, first, grid.size()), grid));
  }
  return norm_->forward(x);
}

torch::Tensor AudioMae::pool(const torch::Tensor& latents, const TokenGrid& grid, const torch::Tensor& kept) const {
  if (options_.pooling == "cls") return latents.select(1, 0);
  const auto tokens = latents.narrow(1, first_patch(), latents.size(1) - first_patch());
  if (options_.pooling == "mean") return tokens.mean(1);
  if (!kept.defined()) return tokens.unflatten(1, {grid.steps, grid.bands}).mean(1).flatten(1);
  const auto bands = torch::arange(grid.bands, kept.options());
  const auto belongs = kept.remainder(grid.bands).unsqueeze(1).eq(bands.view({1, -1, 1})).to(tokens.scalar_type());
  const auto count = belongs.sum(2, /*keepdim=*/true).clamp_min(1);
  return torch::matmul(belongs / count, tokens).flatten(1);  // [B, bands, K] [B, K, D]
}

torch::Tensor AudioMae::forward(const torch::Tensor& x) {
  const auto picture = as_picture(x);
  const TokenGrid grid = grid_of(picture);
  torch::Tensor kept;
  if (is_training() && options_.token_drop > 0) {
    const auto dropped = std::llround(options_.token_drop * static_cast<double>(grid.size()));
    const int64_t count = std::max<int64_t>(grid.size() - dropped, 1);
    const auto order = torch::rand({x.size(0), grid.size()}, x.options().dtype(torch::kFloat32)).argsort(int64_t{1});
    kept = std::get<0>(order.narrow(1, 0, count).sort(1));
  }
  return pool(encode(audiomae::patchify(picture, patch_), grid, kept), grid, kept);
}

Reconstruction AudioMae::reconstruct(const torch::Tensor& x, const torch::Tensor& kept) {
  if (!decoder_) {
    refuse("reconstructs", "got an encoder alone, expected one with a decoder; build it for pretraining");
  }
  const auto picture = as_picture(x);
  const TokenGrid grid = grid_of(picture);
  if (grid.steps != grid_.steps) {
    refuse("input", fmt::format("got x [{}] of {} steps, expected {} steps as in {}", fmt::join(x.sizes(), ", "),
                                grid.steps, grid_.steps, input_.text()));
  }
  TORCH_CHECK(kept.dim() == 2 && kept.size(0) == x.size(0) && kept.size(1) > 0 && kept.size(1) < grid.size(),
              "kept must be [B, K] with 0 < K < L");
  const auto patches = audiomae::patchify(picture, patch_);
  const auto latents = encode(patches, grid, kept);
  const Tables table = tables(grid);
  auto prediction = decoder_->forward(latents, kept, table.decoder_positions, table.decoder_rotation);

  auto target = audiomae::channels_last(patches, channels_);
  audiomae::PatchScale scale;
  if (options_.normalized_target) {
    scale = audiomae::patch_scale(target);
    target = (target - scale.mean) / scale.deviation;
  }
  prediction = prediction.to(target.scalar_type());
  Reconstruction result;
  result.losses = audiomae::reconstruction_loss(prediction, target, kept);
  result.features = latents.narrow(1, first_patch(), kept.size(1)).mean(1);

  const torch::NoGradGuard no_grad;
  auto values = prediction.detach();
  if (options_.normalized_target) values = values * scale.deviation + scale.mean;
  auto filled = audiomae::unpatchify(values, patch_, grid);
  const int64_t covered = grid.steps * patch_.time, rest = picture.size(3) - covered;
  if (rest > 0) filled = torch::cat({filled, picture.detach().narrow(3, covered, rest)}, 3);
  result.prediction = filled.view(x.sizes());
  return result;
}

std::vector<std::pair<std::string, torch::Tensor>> AudioMae::feature_maps(const torch::Tensor& x) {
  const torch::NoGradGuard no_grad;
  struct EvalGuard {
    AudioMae& net;
    bool was_training;
    ~EvalGuard() { net.train(was_training); }
  } const guard{*this, is_training()};
  eval();
  const auto picture = as_picture(x);
  Maps maps;
  encode(audiomae::patchify(picture, patch_), grid_of(picture), {}, &maps);
  return maps;
}

int64_t AudioMae::layer_of(const std::string& parameter) const {
  if (parameter.starts_with("blocks.")) return std::stoll(parameter.substr(std::string("blocks.").size())) + 1;
  if (parameter.starts_with("norm.") || parameter.starts_with("decoder.")) return depth() - 1;
  return 0;
}

torch::Tensor AudioMae::resized(const std::string& parameter, const torch::Tensor& foreign) const {
  const torch::NoGradGuard no_grad;
  if (parameter == "pos_embed" && pos_embed_.defined() && foreign.dim() == 3 && foreign.size(0) == 1 &&
      foreign.size(2) == size_.dim) {
    // Of one band every number of rows is whole steps: then only our own length tells a cls row.
    const int64_t rows = foreign.size(1), extra = rows % grid_.bands != 0 || rows == grid_.size() + 1 ? 1 : 0;
    if ((rows - extra) % grid_.bands != 0 || rows == extra) return {};
    return interpolated(foreign.narrow(1, extra, rows - extra).to(torch::kFloat32), grid_.bands, grid_.steps);
  }
  if (parameter == "patch_embed.proj.weight" && foreign.dim() == 4 && foreign.size(0) == size_.dim &&
      foreign.size(2) == patch_.time && foreign.size(3) == patch_.frequency) {
    const auto share = foreign.to(torch::kFloat32).sum(1, /*keepdim=*/true) / static_cast<double>(channels_);
    return share.expand({-1, channels_, -1, -1}).contiguous();
  }
  return {};
}

}  // namespace amae
