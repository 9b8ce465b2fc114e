#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/attention/named_array.h"
#include "analysis/attention/selectivity.h"

namespace kvscope {

/// What stands along one side of a thumbnail: bins of neighbouring values of a coordinate.
struct ReducedSide {
  std::string name{};            ///< "step"
  std::vector<int64_t> first{};  ///< [bins] lowest value of each
  std::vector<int64_t> last{};   ///< [bins] highest; the same where a bin is one value
};

/// An array as one number, curve or small map per (layer, head).
struct ReducedArray {
  int64_t layers = 0;
  int64_t heads = 0;  ///< 1 where the array has no head axis
  bool has_heads = false;
  std::vector<ReducedSide> sides{};  ///< none, what stands across, or down and across
  std::vector<double> values{};      ///< [layers][heads][sides]; NaN where the array has nothing
  std::string averaging{};  ///< "sum over key in bins of 8"; empty: the array's own numbers
};

/// What is shown of an array for every head; nullopt for arrays without a layer axis. The first two
/// coordinates beside layer and head are its sides, means are taken over others. Steps that are
/// more than `most_bins` are taken together as `groups` say, other values that are more in bins:
/// as means, masses on keys or on steps as sums.
std::optional<ReducedArray> reduced_by_head(const NamedArray& array,
                                            const std::vector<StepGroup>& groups,
                                            int64_t most_bins = 64);

}  // namespace kvscope
