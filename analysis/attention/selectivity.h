#pragma once

#include <cstdint>
#include <vector>

#include "analysis/attention/attention_record.h"
#include "analysis/attention/step_groups.h"

namespace kvscope {

/// ScaleKV's Attention Selectivity Index (arXiv 2505.19602), [L][S]:
///   ASI(l, k) = E_i[sum of a_ij over the current map] * E_i[sum of the K' largest a_ij over
///   earlier maps],
/// E over queries, heads and images. NaN where there is no earlier map. Of the factors alone, the
/// first or the second (figure 6b of the paper). Throws Error(kInput) where the record holds no
/// mass.step or mass.history_top.
enum class SelectivityFactors : uint8_t { kBoth, kCurrent, kHistory };
std::vector<double> attention_selectivity(const AttentionRecord& record,
                                          SelectivityFactors factors = SelectivityFactors::kBoth);

enum class LayerRole : uint8_t {
  kNone,     ///< no history to choose from
  kDrafter,  ///< spreads over history: needs much of it
  kRefiner,  ///< looks at the current map or at few tokens
};

/// The steps that one role is for (step_groups.h).
std::vector<StepGroup> step_groups(const AttentionRecord& record, int64_t line_tokens = 0);

/// Every step by itself.
std::vector<StepGroup> single_steps(const AttentionRecord& record);

/// Roles of all (layer, group) pairs.
struct LayerRoles {
  std::vector<StepGroup> groups{};    ///< [G]
  int64_t drafters = 0;               ///< N_d
  std::vector<double> selectivity{};  ///< [L][G] mean over the group's steps with a history
  std::vector<double> z_score{};      ///< [L][G] within each group: (ASI - mean) / (std + 1e-8)
  std::vector<LayerRole> role{};      ///< [L][G]
};

/// The `drafters` pairs of lowest Z-score over all pairs with a history; ties go to the earlier
/// group, then layer. Negative takes default_drafters(). Throws Error(kConfig) for more than there
/// are pairs.
LayerRoles layer_roles(const AttentionRecord& record,
                       const std::vector<StepGroup>& groups,
                       int64_t drafters = -1,
                       SelectivityFactors factors = SelectivityFactors::kBoth);
/// The same of single steps.
LayerRoles layer_roles(const AttentionRecord& record, int64_t drafters = -1);

/// Groups with a history and no drafter among their layers, in order.
std::vector<StepGroup> groups_without_drafter(const LayerRoles& roles);
/// The fewest drafters that leave no such group.
int64_t drafters_for_every_group(const LayerRoles& roles);

/// The share of the pairs with a history that are drafters where no number is given.
inline constexpr double kDefaultDrafterShare = 0.06;
/// 6 % of the pairs with a history, at least one: between the released budgets' 9 of 160 and 15 of
/// 200.
int64_t default_drafters(int64_t pairs_with_history);

}  // namespace kvscope
