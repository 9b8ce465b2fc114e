#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analysis/attention/named_array.h"
#include "analysis/attention/observed_step.h"
#include "core/engine/plan.h"

namespace kvscope {

/// Which models a statistic is defined for.
enum class StatisticModels { kAny, kNextScale, kNextToken };

/// What is known of a statistic without a model.
struct StatisticInfo {
  std::vector<std::string> axes{};  ///< of what finish() returns, in order
  std::string unit{};
  AttentionNeeds needs{};
  StatisticModels models = StatisticModels::kAny;
  bool by_default = false;      ///< recorded where nobody chooses
  bool needs_guidance = false;  ///< reads both rows of an image under classifier-free guidance
};

/// One thing to measure of attention, averaged over images. Adding one touches three files: its
/// source statistics/<group>/<name>.cpp, which defines make_statistic_<name>(), a line of
/// statistics.def, and what it is compared with,
/// tests/analysis/attention/oracles/<group>/<name>.cpp. Recording, files, `kvscope attention list`
/// and `show`, and the contract tests follow.
class AttentionStatistic {
 public:
  virtual ~AttentionStatistic() = default;
  [[nodiscard]] virtual StatisticInfo info() const = 0;
  /// Comes once, before the first step: the array's axes follow from `geometry`. Throws
  /// Error(kConfig) where options name what the model lacks.
  virtual void begin_model(const CacheGeometry& geometry) = 0;
  /// One layer's step of one batch. Layers come in turn, then steps, then batches.
  virtual void observe(ObservedStep& step) = 0;
  /// Means over the `images` >= 1 observed so far, or whatever else of them the statistic is; unit
  /// and help are filled in by who asks.
  [[nodiscard]] virtual NamedArray finish(int64_t images) const = 0;
  /// Everything that observe() changes, from begin_model() on: a recording that is interrupted
  /// keeps these numbers and goes on with them. Valid until the next call.
  [[nodiscard]] virtual std::vector<std::span<double>> sums() = 0;
};

}  // namespace kvscope
