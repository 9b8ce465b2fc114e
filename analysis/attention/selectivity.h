#pragma once

#include <cstdint>
#include <vector>

#include "analysis/attention/attention_record.h"

namespace kvscope {

/// ScaleKV's Attention Selectivity Index (arXiv 2505.19602), [L][S]:
///   ASI(l, k) = E_i[sum of a_ij over the current map] * E_i[sum of the K' largest a_ij over
///   earlier maps],
/// E over queries, heads and images. NaN where there is no earlier map.
std::vector<double> attention_selectivity(const AttentionRecord& record);

enum class LayerRole : uint8_t {
  kNone,     ///< no history to choose from
  kDrafter,  ///< spreads over history: needs much of it
  kRefiner,  ///< looks at the current map or at few tokens
};

/// Roles of all (layer, step) pairs.
struct LayerRoles {
  int64_t drafters = 0;               ///< N_d
  std::vector<double> selectivity{};  ///< [L][S]
  std::vector<double> z_score{};      ///< [L][S] within each step: (ASI - mean) / (std + 1e-8)
  std::vector<LayerRole> role{};      ///< [L][S]
};

/// The `drafters` pairs of lowest Z-score over all pairs with a history; ties go to the earlier
/// step, then layer. Negative takes default_drafters(). Throws Error(kConfig) for more than there
/// are pairs.
LayerRoles layer_roles(const AttentionRecord& record, int64_t drafters = -1);

/// 6 % of the pairs with a history, at least one: between the released budgets' 9 of 160 and 15 of
/// 200.
int64_t default_drafters(const AttentionRecord& record);

}  // namespace kvscope
