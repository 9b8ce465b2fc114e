#pragma once

#include <cstdint>
#include <vector>

#include "analysis/attention/attention_record.h"

namespace kvscope {

/// What counts as near a query of a next-token image.
struct Neighbourhood {
  int64_t recent_tokens = 32;  ///< itself and so many tokens before it, condition tokens among them
  int64_t lines_above = 0;     ///< and in so many lines above it ...
  int64_t columns_beside = 0;  ///< ... the tokens up to so many columns left and right of its own
};

/// SSD's sparsity metric of every head (arXiv:2510.18716), [L * H]: the share of attention outside
/// the neighbourhood, mean over the image's queries and images. Throws Error(kConfig) for
/// negative numbers, Error(kInput) where the record has no offsets: next-scale models, older files.
std::vector<double> head_sparsity(const AttentionRecord& record,
                                  const Neighbourhood& neighbourhood);

/// Sparsity from which a head counts as semantic, below it as spatial, where nothing else is said.
inline constexpr double kSpatialSparsity = 0.2;
/// Share of the heads, those of lowest variance, that are contextual where nothing else is said.
inline constexpr double kContextualShare = 0.5;

/// [heads] 1 for the `share` of them whose values are lowest, rounded; ties go to the earlier.
std::vector<uint8_t> contextual_heads(const std::vector<double>& values, double share);

/// HACK's variance of every head (arXiv:2504.09261), [L * H]. Throws Error(kInput) where the record
/// has none: next-token models, older files.
const std::vector<double>& head_variance(const AttentionRecord& record);

}  // namespace kvscope
