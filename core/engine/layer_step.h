#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/engine/kv_cache.h"
#include "core/engine/rotation.h"

namespace kvscope {

/// One layer's attention of one step, as it was computed; what observers and controllers look at.
struct LayerStep {
  const StepInfo& step;
  int64_t layer;
  const KvCache& cache;  ///< before the step is stored: the history
  /// [rows, query heads, queries, head_dim] as used (normalised, scaled, rotated)
  const at::Tensor& q;
  const at::Tensor& k;  ///< [rows, heads, queries, head_dim] the current step's keys as cached
  const at::Tensor& v;  ///< likewise values
  /// [rows, query heads, queries] fp32 natural log, over history and current; +infinity for queries
  /// that are padding, so that exp(s - lse) gives their attention no weight.
  const at::Tensor& lse;
  double softmax_scale;
  const at::Tensor& hidden;  ///< [rows, queries, width] input of the query projection
  /// [query heads * head_dim, width] query projection without bias
  const at::Tensor& query_weight;
  /// How q and k are turned by position, for scores that look at other positions; null: they are
  /// not.
  const RotationTable* rotation = nullptr;
  /// Held tokens that the step saw, ascending, per (row, head); null: all.
  const KeptIndices* attended = nullptr;

  /// Query heads that read one key/value head; heads without a word before them are the latter.
  [[nodiscard]] int64_t group() const { return q.size(1) / k.size(1); }
};

/// Positions in the generation of the tokens of [history | current step], padding counted.
std::vector<int64_t> positions_of(const LayerStep& layer_step, int64_t row, int64_t head);

/// Where cached keys stand when a query looks at them. They are stored as the model turned them,
/// whichever it is.
enum class KeyPositions : uint8_t {
  kOriginal,  ///< where they stood when they were made; gaps stay gaps
  kInCache,   ///< 0, 1, 2, ... along what is held, the current step behind it (StreamingLLM,
              ///< arXiv:2309.17453): gaps close
};

/// Decides what stays after a layer's step. Implemented by policies; core knows none by name.
class CacheController {
 public:
  virtual ~CacheController() = default;
  /// A new generation begins: forget everything about the last one.
  virtual void begin_generation(int64_t rows) = 0;
  /// nullopt keeps everything.
  virtual std::optional<KeptIndices> decide(const LayerStep& layer_step) = 0;
  /// Likewise of all layers of a step at once (Cuts::kPerStep), one answer each: where a decision
  /// has to come from a device, one wait does for all.
  virtual std::vector<std::optional<KeptIndices>> decide_step(std::span<const LayerStep> layers) {
    std::vector<std::optional<KeptIndices>> kept;
    for (const LayerStep& layer_step : layers) kept.push_back(decide(layer_step));
    return kept;
  }
  /// Where keys stand when a query looks at them.
  [[nodiscard]] virtual KeyPositions key_positions() const { return KeyPositions::kOriginal; }
  /// Held tokens that a layer's step sees, indices ascending per (row, head), for methods that
  /// store more than they attend to; nullopt: all of them. Asked before the step is attended.
  [[nodiscard]] virtual std::optional<KeptIndices> attended(const KvCache& /*cache*/,
                                                            const StepInfo& /*step*/,
                                                            int64_t /*layer*/) const {
    return std::nullopt;
  }
};

/// Looks at a layer's step without changing anything.
class AttentionObserver {
 public:
  virtual ~AttentionObserver() = default;
  virtual void begin_generation(int64_t rows) = 0;
  virtual void observe(const LayerStep& layer_step) = 0;
};

}  // namespace kvscope
