#pragma once

#include <filesystem>
#include <string>

#include "experiments/sweep/configuration.h"

namespace kvscope {

/// `kvscope weights inspect FILE`: container, metadata, and a line a tensor, or one
/// JSON object. Returns the exit code.
/// Throws Error(kInput) for a file that is damaged or no checkpoint.
int weights_inspect_command(const std::filesystem::path& file, bool json);

/// `kvscope weights check model=... FILE`: whether the checkpoint holds what the model needs.
/// `arguments.overrides` are the overrides and, among them, the one file. Throws Error(kInput)
/// listing every tensor that is missing (with the nearest name in the file) or has another shape or
/// dtype, and Error(kConfig) where no file or several are named.
int weights_check_command(ConfigArguments arguments, bool json);

/// `kvscope weights convert IN OUT.safetensors`: the same tensors, values and names as one
/// safetensors file, which appears whole or not at all.
int weights_convert_command(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace kvscope
