#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "experiments/sweep/configuration.h"

namespace kvscope {

struct AttentionRecordOptions {
  std::filesystem::path out = "attention.h5";
  int64_t top_keys = 16;         ///< K' of the Attention Selectivity Index
  int64_t sampled_queries = 64;  ///< queries per step behind that index; 0: all
  /// (layer, head) whose maps are kept, of the first image.
  std::vector<std::pair<int64_t, int64_t>> raw_heads{};
  bool query_maps = false;     ///< the statistic map.query beside the others
  int64_t map_query_side = 6;  ///< see AttentionRecorderOptions
  int64_t map_key_side = 16;
  std::vector<std::string> statistics{};  ///< names of `kvscope attention list`, sets
};

/// `kvscope attention record`: generates one point's images and writes what attention did to
/// options.out. What it has is kept beside that between batches, and the same command goes on with
/// it, after an interruption or a kill. Returns 0, or 130 where interrupted. Throws Error(kConfig)
/// where options.out, or what is kept beside it, is of something else; otherwise the errors of
/// list_points, chosen_statistics, ImageModel and AttentionRecorder. `command_line` is for saying
/// how to go on.
int attention_record_command(const ConfigArguments& arguments,
                             const AttentionRecordOptions& options,
                             const std::string& command_line);

}  // namespace kvscope
