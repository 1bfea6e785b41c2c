// One signal that came over the network as an embedding.
#pragma once

#include "serve/clip_reader.h"
#include "task/embed_options.h"
#include "train/bundle.h"

namespace amae::serve {

/// [1, D] float32: what embed_items() makes of a file with this signal. To be called by the model's owner.
/// Throws InputError.
torch::Tensor embed_clip(const Bundle& bundle, const Registry& registry, const Clip& clip, const EmbedOptions& options,
                         torch::Device device);

}  // namespace amae::serve
