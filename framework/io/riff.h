// Our own reading of WAV headers. Decoders quietly clamp a data chunk that claims more bytes than the file has, so
// truncation must be found before them; so must codecs that we do not want to hand to a decoder.
#pragma once

#include <string_view>

#include "io/sound_header.h"

namespace amae {

/// True for files that begin like RIFF, RIFX, RF64 or Sony Wave64, whatever follows. `head`: the first 16 bytes or
/// more.
bool looks_like_wav(std::string_view head);

/// Walks the chunks. Throws InputError when the file is cut, has no or an unfinished data chunk, is not WAVE, or holds
/// anything but PCM of 8, 16, 24 or 32 bits or float of 32 or 64 bits (plain or WAVE_FORMAT_EXTENSIBLE).
/// Channel and rate limits are the caller's.
SoundHeader read_wav_header(const RegularFile& file);

}  // namespace amae
