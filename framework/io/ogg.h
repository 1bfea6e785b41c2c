// Our own reading of Ogg: one stream of Vorbis or Opus, whole to its last page.
#pragma once

#include "io/sound_header.h"

namespace amae {

/// Looks at the pages of the header packets and at the last page. Throws InputError when one is damaged (CRC) or cut, a
/// header packet is missing or torn, the last page is not marked as the end, the codec is neither Vorbis nor Opus (it
/// is named), or the file holds several streams: beside each other (multiplexed) or one after the other (chained, told
/// by the serial of the last page). `frames` is what the last page says, so at most that many; the decoder knows where
/// the first page began. Rate: Vorbis its own; Opus the lowest of 8, 12, 16, 24, 48 kHz that holds the rate of the
/// original, as decoded. Source: RFC 3533 (pages), Vorbis I section 4.2.2, RFC 7845 section 5.1 (OpusHead).
SoundHeader read_ogg_header(const RegularFile& file);

/// Reads every page: each must be undamaged and follow the one before (number, position), to the one marked as the end;
/// no stream may follow. Decoders leave out what fails this, and the rest sounds earlier than it should.
void check_ogg_pages(const RegularFile& file);

}  // namespace amae
