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

/// HACK's variance of every head (arXiv:2504.09261), [L * H]. Throws Error(kInput) where the record
/// has none: next-token models, older files.
const std::vector<double>& head_variance(const AttentionRecord& record);

}  // namespace kvscope
