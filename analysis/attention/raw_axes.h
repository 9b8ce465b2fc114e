#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "analysis/attention/named_array.h"
#include "core/engine/step.h"

namespace kvscope {

/// "raw_head": coordinates layer and head of every kept map.
ArrayAxis raw_head_axis(const std::vector<std::pair<int64_t, int64_t>>& heads);
/// "raw_query": coordinates step and query (a token of the step), of every kept row.
ArrayAxis raw_query_axis(const std::vector<std::pair<int64_t, int64_t>>& step_queries);
/// "key": positions in the generation.
ArrayAxis key_axis(const std::vector<StepInfo>& steps);

}  // namespace kvscope
