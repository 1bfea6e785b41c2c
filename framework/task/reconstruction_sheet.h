// What a masked autoencoder makes of a few clips, as one picture.
#pragma once

#include "report/canvas.h"
#include "train/reconstruction.h"

namespace amae {

/// A row a clip: the input, what the encoder saw of it (the rest grey), the prediction, and the input with the
/// prediction where it was hidden. The colours or heights of a row are those of its input. Of spectrograms the first
/// channel is shown; signals are waveforms, the first two channels over each other.
Canvas draw_reconstructions(const std::vector<ReconstructionView>& views, const std::string& title);

}  // namespace amae
