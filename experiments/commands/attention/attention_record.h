#pragma once

#include <filesystem>
#include <string>

#include "experiments/sweep/configuration.h"

namespace kvscope {

/// `kvscope attention record`: generates one point's images and writes what the `record` group asks
/// for of their attention to
/// `out`. What it has is kept beside that between batches, and the same command goes on with
/// it, after an interruption or a kill. Returns 0, or 130 where interrupted. Throws Error(kConfig)
/// where `out`, or what is kept beside it, is of something else; otherwise the errors of
/// list_points, recording_settings, chosen_statistics, ImageModel and AttentionRecorder.
/// `command_line` is for saying how to go on.
int attention_record_command(const ConfigArguments& arguments,
                             const std::filesystem::path& out,
                             const std::string& command_line);

}  // namespace kvscope
