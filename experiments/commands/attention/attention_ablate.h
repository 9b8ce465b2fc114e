#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "analysis/attention/head_sparsity.h"
#include "analysis/metrics/registry.h"
#include "experiments/sweep/configuration.h"

namespace kvscope {

struct AttentionAblateOptions {
  std::string over{};                                    ///< one or two axes, see Ablation
  std::string metric = standard_metric_names().front();  ///< of images or pairs
  int64_t line_tokens = 0;  ///< of a next-token image, whose lines count as scales; 0: a square
  std::filesystem::path compare{};  ///< attention.h5 of the same model; empty: none
  Neighbourhood neighbourhood{};    ///< of SSD's sparsity in it
};

/// `kvscope attention ablate`: a sweep over what is hidden from attention, one thing at a time,
/// with the full cache to compare with; resumed, shared and repeated as any sweep is. Prints what
/// hiding each thing did, writes it as report/ablation_AXES_METRIC.csv and draws it as .svg and
/// .png; with a record, prints and writes how what attention looks like goes with that. Returns the
/// exit code. Throws Error(kConfig) for options that do not fit, before anything runs; otherwise
/// the errors of list_points, run_sweep and read_attention. `command_line` is recorded, and printed
/// as the way to go on.
int attention_ablate_command(const ConfigArguments& arguments,
                             const AttentionAblateOptions& options,
                             const std::string& command_line);

}  // namespace kvscope
