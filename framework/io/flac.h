// Our own reading of FLAC headers: what STREAMINFO promises, and whether the last frame in the file keeps it.
#pragma once

#include "io/sound_header.h"

namespace amae {

/// Walks the metadata blocks, then finds the last frame by its checksum: a cut file ends in no whole frame, and one
/// with a wrong total ends at another sample. Throws InputError when a block leaves the file, STREAMINFO is not first
/// or has no length, the sample size is not 8, 16 or 24 bits, or the last frame ends elsewhere than STREAMINFO says.
/// Source: RFC 9639, sections 8 (metadata) and 9 (frames). Costs a few KiB of reading at either end of the file.
SoundHeader read_flac_header(const RegularFile& file);

}  // namespace amae
