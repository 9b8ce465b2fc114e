#pragma once

#include <cstdint>
#include <vector>

#include "analysis/attention/named_array.h"
#include "core/engine/plan.h"
#include "core/engine/step.h"

namespace kvscope {

// The axes that arrays of attention share. Arrays of one record that have an axis of a name have
// the same one.

/// {"layer", "head", "step"}, which most arrays have and begin with.
std::vector<ArrayAxis> head_step_axes(const CacheGeometry& geometry);
/// "layer" and "head".
ArrayAxis layer_axis(int64_t layers);
ArrayAxis head_axis(int64_t heads);
/// "step": the steps whose queries look. "on_step": the steps whose tokens are looked at.
ArrayAxis step_axis(const std::vector<StepInfo>& steps);
ArrayAxis on_step_axis(const std::vector<StepInfo>& steps);
/// "step_key": coordinates step and key; the keys that the queries of step 0 can see, those of step
/// 1, ..., in the order of generation.
ArrayAxis step_key_axis(const std::vector<StepInfo>& steps);

/// "sampled_query": coordinates step and query; `wanted` evenly spaced queries (0: all) of step 0,
/// of step 1, ..., of the last that attends.
ArrayAxis sampled_query_axis(const std::vector<StepInfo>& steps, int64_t wanted);

/// Keys that queries of `step` can see: its own tokens and all before them.
int64_t keys_of_step(const std::vector<StepInfo>& steps, int64_t step);
/// Where the keys of `step` begin along step_key_axis(), for every step.
std::vector<int64_t> step_key_begins(const std::vector<StepInfo>& steps);
/// Tokens of a whole generation.
int64_t all_tokens(const std::vector<StepInfo>& steps);

/// `wanted` of 0 .. count - 1, evenly spaced, each in the middle of its part; 0 takes all.
std::vector<int64_t> evenly_spaced(int64_t count, int64_t wanted);

}  // namespace kvscope
