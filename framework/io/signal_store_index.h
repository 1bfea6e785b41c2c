// Names that the writer and the reader of a store share.
#pragma once

namespace amae {

constexpr const char* kStoreFormat = "amae signal store 1";
constexpr const char* kStoreSamples = "samples.bin";
constexpr const char* kStoreIndex = "index.safetensors";

}  // namespace amae
