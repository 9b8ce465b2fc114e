#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analysis/attention/array_selection.h"

namespace kvscope {

struct AttentionRecorderOptions {
  /// Rows are doubled by classifier-free guidance: only the first, conditional half is recorded.
  bool guided = true;
  /// Names of statistics.def or patterns of them ("sink.*"), "default" or "all"; empty: "default".
  /// chosen_statistics() says what of it is recorded.
  std::vector<std::string> statistics{};
  /// K' of the Attention Selectivity Index. The paper gives no number; 16 is the size of the
  /// method's observation window.
  int64_t top_keys = 16;
  /// Queries a step, evenly spaced, that the sum of the top K' is averaged over; 0 takes all.
  int64_t sampled_queries = 64;
  /// Last queries that entropy and variance of the attention are taken over; CAKE's window.
  int64_t window_queries = 32;
  /// (layer, head) pairs whose maps are kept, of the first image.
  std::vector<std::pair<int64_t, int64_t>> raw_heads{};
  /// Rows of a raw map at most, evenly spaced; 0 keeps all.
  int64_t raw_queries = 256;
  /// Tokens of a step whose rows these are instead, where the step has them; none: evenly spaced.
  IndexRanges raw_at{};
  /// Records map.query beside what `statistics` names, or beside all.
  bool query_maps = false;
  /// Sides of what a query map keeps of a grid: queries, cells of keys (query_map_layout.h).
  int64_t map_query_side = 6;
  int64_t map_key_side = 16;
  /// What is recorded of all of that.
  RecordedPart part{};
  /// Numbers of an array up to which they are also kept for every image by itself; 0: of none.
  int64_t per_image_numbers = int64_t{1} << 17;
};

}  // namespace kvscope
