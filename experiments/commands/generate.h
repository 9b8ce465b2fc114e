#pragma once

#include <filesystem>

#include "experiments/sweep/configuration.h"

namespace kvscope {

/// `kvscope generate prompt="..." [--out FILE.png]`: the images of one point, without a results
/// folder: FILE.png, or FILE-000001.png and so on where there are several. Prints what was written,
/// time and cache bytes. Returns the exit code. Errors: those of list_points and ImageModel.
int generate_command(const ConfigArguments& arguments, const std::filesystem::path& out);

}  // namespace kvscope
