// What can be chosen about AudioMAE++, and what the named sizes stand for.
#pragma once

#include <cstdint>
#include <string>

#include "amae/options.h"

namespace amae {

struct AudioMaeOptions {
  std::string size = "tiny";  ///< tiny | small | medium | base | large | custom; gives every dimension that is 0 below
  int64_t dim = 0;            ///< D of the encoder
  int64_t depth = 0;          ///< encoder blocks
  int64_t heads = 0;          ///< of the encoder's attention
  double mlp_ratio = 4.0;     ///< hidden width of the feed-forward parts over D; two thirds of it in SwiGLU
  int64_t decoder_dim = 0;
  int64_t decoder_depth = 0;
  int64_t decoder_heads = 0;
  int64_t patch_time = 4;                  ///< frames (samples of a waveform) of a patch
  int64_t patch_frequency = 16;            ///< frequency bins of a patch; a waveform has one row, whatever this says
  std::string form = "corrected";          ///< corrected | official_compat: see MacaronBlock
  std::string blocks = "macaron";          ///< macaron | vit, in encoder and decoder
  std::string positions = "sincos";        ///< sincos | learned | none: added to the encoder's patch tokens
  std::string decoder_positions = "auto";  ///< sincos_1d | sincos_2d | auto: 1-D in official_compat, 2-D else
  bool rope = false;               ///< turn queries and keys by their (time, frequency) coordinates, in both halves
  double rope_base = 100.0;        ///< ratio of the fastest to the slowest turning pair, about
  bool normalized_target = false;  ///< reconstruct each patch with mean 0 and variance 1
  bool cls_token = true;
  double drop_path = 0.0;   ///< chance that the last encoder block's branches are left out; 0 for the first, linear
  double token_drop = 0.0;  ///< share of the tokens that forward() leaves out in training
  std::string pooling = "mean";  ///< mean | cls | mean_frequency

  void describe(Fields& f);
  void check() const;
};

/// The dimensions that `size` and the options that override it come to.
struct AudioMaeSize {
  int64_t dim, depth, heads;
  int64_t decoder_dim, decoder_depth, decoder_heads;
};

/// Throws InputError when the size is custom and dim, depth or heads is missing. A custom decoder is by default the one
/// of the smaller sizes.
/// Source: Yadav, Theodoridis, Tan 2025, arXiv:2507.10464, and its published configurations.
[[nodiscard]] AudioMaeSize audiomae_size(const AudioMaeOptions& options);

}  // namespace amae
