// What the fuzz targets share. A target takes any bytes and must return: refusing them is fine, an exception other than
// amae::Error, a broken promise (abort), a crash, a leak or a hang is a finding. tools/fuzz builds each with libFuzzer;
// the test of the corpus calls them by name.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/memory_file.h"

#ifdef AMAE_LIBFUZZER
#define AMAE_FUZZ_TARGET(name) extern "C" int LLVMFuzzerTestOneInput
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
#else
#define AMAE_FUZZ_TARGET(name) int fuzz_##name
#endif
int fuzz_audio(const uint8_t* data, size_t size);
int fuzz_base64(const uint8_t* data, size_t size);
int fuzz_csv(const uint8_t* data, size_t size);
int fuzz_config(const uint8_t* data, size_t size);
int fuzz_http(const uint8_t* data, size_t size);
int fuzz_json(const uint8_t* data, size_t size);
int fuzz_multipart(const uint8_t* data, size_t size);
int fuzz_npy(const uint8_t* data, size_t size);
int fuzz_pickle(const uint8_t* data, size_t size);
int fuzz_tar(const uint8_t* data, size_t size);
int fuzz_torch(const uint8_t* data, size_t size);

namespace amae::fuzz {

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Ends the process when something that must always hold does not.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

}  // namespace amae::fuzz
