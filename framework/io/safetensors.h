// The safetensors format, read strictly and written durably.
// Source: huggingface/safetensors, README "Format": u64 little-endian header length, JSON header, tensor bytes.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "amae/transform.h"  // TensorDict

namespace amae {

/// Writes tensors with the header in name order (byte-identical for equal input), each contiguous on the CPU, the bytes
/// of larger element types first so that every tensor is aligned. float64, float32, float16,
/// bfloat16, int64, int32, int16, int8, uint8 and bool are known; others throw std::invalid_argument.
/// The caller makes it durable (AtomicFolder, or write to a temporary name).
void write_safetensors(const std::filesystem::path& path, const TensorDict& tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// Reads all tensors. Refused with InputError (code "SAFETENSORS", field = tensor): header over 100 MB or cut,
/// duplicate keys, unknown dtype, offsets out of bounds, overlapping, with holes or trailing bytes, shape product
/// overflow or unequal to the byte count.
TensorDict read_safetensors(const std::filesystem::path& path, std::map<std::string, std::string>* metadata = nullptr);

}  // namespace amae
