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
  int64_t sampled_queries = 64;  ///< queries a step behind that index; 0: all
  /// (layer, head) whose maps are kept, of the first image.
  std::vector<std::pair<int64_t, int64_t>> raw_heads{};
  std::vector<std::string> statistics{};  ///< names of `kvscope attention list`; empty: all
};

/// `kvscope attention record`: generates one point's images and writes what attention did to
/// options.out. Returns 0, or 130 where interrupted (nothing is written then). Errors: those of
/// list_points, chosen_statistics, ImageModel and AttentionRecorder.
int attention_record_command(const ConfigArguments& arguments,
                             const AttentionRecordOptions& options);

}  // namespace kvscope
