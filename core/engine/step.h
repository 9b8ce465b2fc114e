#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace kvscope {

enum class StepKind : uint8_t {
  kPrefill,  ///< condition tokens of a next-token model, all at once
  kScale,    ///< one scale of a next-scale model: grid_height * grid_width queries at once
  kToken,    ///< one token of a next-token model: one query
};

/// One step of a generation. Both model families are a list of these, run by one loop.
struct StepInfo {
  StepKind kind = StepKind::kScale;
  int64_t index = 0;        ///< 0-based position in the generation
  int64_t grid_height = 1;  ///< tokens; 1 x n for a prefill
  int64_t grid_width = 1;
  int64_t first_token = 0;  ///< tokens of all earlier steps together
  bool stored = true;  ///< false where no later step reads K and V: the last scale, the last token

  [[nodiscard]] int64_t queries() const { return grid_height * grid_width; }
  bool operator==(const StepInfo&) const = default;
};

/// Steps of a next-scale model from its (h, w) schedule; the last one is not stored.
std::vector<StepInfo> next_scale_steps(const std::vector<std::pair<int64_t, int64_t>>& schedule);

/// Steps of a next-token model: one prefill of `condition_tokens`, then one step for each of
/// `image_tokens`. Step t samples image token t, step t + 1 feeds it; the last token is sampled and
/// never fed, so it is not stored.
std::vector<StepInfo> next_token_steps(int64_t condition_tokens, int64_t image_tokens);

/// Index of the last step that attends: the last scale, or the last token but one.
int64_t last_attending_step(const std::vector<StepInfo>& steps);

/// Tokens a full cache holds going into the last step: the 100 % of every budget.
int64_t full_cache_tokens(const std::vector<StepInfo>& steps);

}  // namespace kvscope
