#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/engine/step.h"

namespace kvscope {

/// The attention map of one (step, layer, head) of the first recorded image.
struct RawAttention {
  int64_t step = 0;
  int64_t layer = 0;
  int64_t head = 0;
  std::vector<int64_t> queries{};  ///< [Q'] tokens of the step, ascending
  /// [Q'][K], K as in AttentionRecord::key_mass; the mean over the head's query heads
  std::vector<float> rows{};
};

/// What attention did, averaged over images. S steps, L layers, H key/value heads, each the mean
/// over the query heads that read it; rows of the conditional branch only. "Mass" of a query on a
/// set of keys is the sum of its softmax weights on them, so the masses of one query sum to 1.
struct AttentionRecord {
  std::string model{};
  std::string point_hash{};            ///< 64 hex digits of the resolved config; may be empty
  std::vector<std::string> prompts{};  ///< [images]
  std::vector<StepInfo> steps{};
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t images = 0;
  int64_t top_keys = 0;         ///< K' of the Attention Selectivity Index
  int64_t sampled_queries = 0;  ///< queries a step that history_top_mass is taken over; 0: all

  /// [L][H][S][S]: mean over queries of step s (third) of the mass on tokens of step t (fourth).
  std::vector<double> step_mass{};
  /// [L][H][S][S]: variance between images (divisor n), 0 for a single image.
  std::vector<double> step_mass_variance{};
  /// [S] of [L][H][K]: sum over the queries of step s of the mass on each key, in the order of
  /// generation; K = first_token + queries of step s. Keys that a policy dropped have 0.
  std::vector<std::vector<double>> key_mass{};
  /// [L][H][S]: mean over sampled queries of the sum of the K' largest weights on earlier steps'
  /// tokens (all of them where there are fewer).
  std::vector<double> history_top_mass{};
  /// Queries at the end of the last step behind the two below (on next-token models into earlier
  /// steps); 0: not measured.
  int64_t window_queries = 0;
  /// [L]: entropy of their attention to what comes before them, summed over queries and heads, and
  /// its variance from query to query, summed over keys and heads (WindowSpread).
  std::vector<double> window_entropy{};
  std::vector<double> window_variance{};
  /// Next-token models: tokens a line, and where the picture's queries look (HeadOffsets), mean
  /// over queries and images; 0 and empty elsewhere.
  int64_t line_tokens = 0;
  std::vector<double> offset_mass{};     ///< [L][H][lines][2 * line_tokens - 1]
  std::vector<double> condition_mass{};  ///< [L][H][tokens]
  /// [L][H] of next-scale models: variance over the last scale's queries (QueryVariance).
  std::vector<double> query_variance{};
  std::vector<RawAttention> raw{};

  [[nodiscard]] size_t at(int64_t layer, int64_t head, int64_t step) const {
    const auto step_count = static_cast<int64_t>(steps.size());
    return static_cast<size_t>((layer * heads + head) * step_count + step);
  }
  [[nodiscard]] double mass(int64_t layer, int64_t head, int64_t step, int64_t on_step) const {
    return step_mass[at(layer, head, step) * steps.size() + static_cast<size_t>(on_step)];
  }
  /// Keys that queries of `step` can see: K.
  [[nodiscard]] int64_t keys(int64_t step) const {
    return steps[step].first_token + steps[step].queries();
  }
};

}  // namespace kvscope
