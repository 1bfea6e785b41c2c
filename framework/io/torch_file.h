// State dicts saved by PyTorch (.pt, .pth), read without Python and without running anything that is in them.
#pragma once

#include <filesystem>

#include "amae/transform.h"  // TensorDict

namespace amae {

/// True when the file begins as one of torch.save, of the zip format or of those before PyTorch 1.6.
bool looks_like_torch_file(const std::filesystem::path& path);

/// The tensors of a file of torch.save: the dict of tensors under `model`, `state_dict`, `model_state_dict` or
/// `module`, or the top level when none of them holds any; a leading "module." that all names share is removed
/// (io/state_dict.h). Entries that are no tensors are left out, with their count in the log. Each tensor owns its
/// memory, contiguous, on the CPU.
///
/// Types: float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, bool.
/// Refused with InputError (code TORCH, where = path): what io/zip_reader.h, io/pickle.h and io/state_dict.h refuse,
/// any byte it needs that differs from its CRC-32, a bool that is neither 0 nor 1, TorchScript archives, and the
/// formats before PyTorch 1.6, which have no checksums.
TensorDict read_torch_file(const std::filesystem::path& path);

}  // namespace amae
