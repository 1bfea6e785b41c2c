// amae transform run: what a chain of transforms makes of a file, as numbers, as a picture or as sound.
#pragma once

#include <filesystem>

#include "task/transform_chain.h"

namespace amae {

/// Writes what a chain gave: .npy (values as they are, float32 [C, N] or [C, F, T]), .png, or .wav (16 bit; audio only,
/// values beyond full scale are cut with a warning). `from` names the file in the picture. Throws InputError (where =
/// `path`) for another ending and for what cannot be sound; EnvironmentError when the disk says no.
void write_output(const std::filesystem::path& path, const StageOutput& output, const std::string& from);

}  // namespace amae
