#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/engine/attend.h"
#include "policies/policy.h"

namespace kvscope {

/// How a policy's decision for one (step, layer) compares with a recorded one.
struct DecisionComparison {
  int64_t step = 0;
  int64_t layer = 0;
  int64_t heads = 0;      ///< (row, head) pairs compared
  int64_t identical = 0;  ///< of them, the same tokens
  int64_t tied = 0;       ///< of the others, those whose tokens differ only among equal scores
  [[nodiscard]] int64_t different() const { return heads - identical - tied; }
};

/// Puts recorded decisions through a policy: each of its decisions is compared with the recorded
/// one, which then takes effect, so that a difference does not hide what comes after it. Pooling by
/// maximum leaves runs of equal scores; which of them topk returns can hang on the last bit of an
/// unrelated score, so a difference among equal scores is counted by itself.
class Replay : public CacheController {
 public:
  /// The recorded decision of (step, layer); nullopt where everything was kept.
  using Recorded = std::function<std::optional<KeptIndices>(int64_t step, int64_t layer)>;

  Replay(Policy& policy, Recorded recorded);

  void begin_generation(int64_t rows) override;
  std::optional<KeptIndices> decide(const LayerStep& layer_step) override;

  /// One entry a decision where either side dropped something.
  [[nodiscard]] const std::vector<DecisionComparison>& comparisons() const { return comparisons_; }

 private:
  Policy& policy_;
  Recorded recorded_;
  std::vector<DecisionComparison> comparisons_;
};

}  // namespace kvscope
