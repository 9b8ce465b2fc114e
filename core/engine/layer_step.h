#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/engine/kv_cache.h"
#include "core/engine/rotation.h"

namespace kvscope {

/// What a model hands over for one layer's attention in one step. A value: the tensors are handles
/// on what the model computed.
struct AttentionInputs {
  StepInfo step{};
  int64_t layer = 0;
  /// [rows, query heads, queries, head_dim] as used (normalised, scaled, rotated)
  at::Tensor q{};
  at::Tensor k{};  ///< [rows, heads, queries, head_dim] the current step's keys as cached
  at::Tensor v{};  ///< likewise values
  double softmax_scale = 1.0;
  at::Tensor hidden{};  ///< [rows, queries, width] input of the query projection
  /// [query heads * head_dim, width] query projection without bias
  at::Tensor query_weight{};

  /// Query heads that read one key/value head; heads without a word before them are the latter.
  [[nodiscard]] int64_t group() const { return q.size(1) / k.size(1); }
};

/// One layer's attention of one step, as it was computed; what observers and controllers look at.
///
/// Lifetimes: a value that may be copied and kept. Its tensors are handles and stay what they are
/// as long as a copy is held; `cache` and `row_seeds` point into the generation's AttentionContext
/// and are good until the next generation begins in it. What `cache` says of the layer is the
/// history before the step only until attend() stores the layer; what has to be known afterwards is
/// copied out. Views of the cache (KvCache::history, origins, keys) end when the layer is stored.
struct LayerStep : AttentionInputs {
  const KvCache* cache = nullptr;  ///< never null: the history, before the step is stored
  /// [rows, query heads, queries] fp32 natural log, over history and current; +infinity for queries
  /// that are padding, so that exp(s - lse) gives their attention no weight.
  at::Tensor lse{};
  /// [rows, query heads, queries, head_dim] what attention came to. For observers only; undefined
  /// once the step is offered to the controller, so that no step that waits holds it.
  at::Tensor out{};
  /// How q and k are turned by position, for scores that look at other positions; none: they are
  /// not.
  std::optional<RotationTable> rotation{};
  /// Held tokens that the step saw, ascending, per (row, head); null: all.
  std::shared_ptr<const KeptIndices> attended{};
  std::span<const uint64_t> row_seeds{};  ///< [rows], or empty (AttentionContext::row_seeds)

  /// A number that tells rows apart whatever batch they are generated in: where what a policy
  /// samples starts from. 0 for all rows where none were set.
  [[nodiscard]] uint64_t row_seed(int64_t row) const {
    return row_seeds.empty() ? 0 : row_seeds[static_cast<size_t>(row)];
  }
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

/// What a step of a layer attends to of the tokens held, and where their keys stand then. The step
/// always sees itself.
struct Reading {
  KeyPositions positions = KeyPositions::kOriginal;
  /// Held tokens that are seen, indices ascending per (row, head); null: all, where they are.
  std::shared_ptr<const KeptIndices> tokens{};
  /// The copy that attention reads is as large as all that is held, so that its bytes do not depend
  /// on which tokens are seen.
  bool copies_all_held = false;
};

/// Decides what stays after a layer's step, and what a step attends to of what stayed. Implemented
/// by policies; core knows none by name.
class CacheController {
 public:
  virtual ~CacheController() = default;
  /// A new generation begins: forget everything about the last one.
  virtual void begin_generation(int64_t rows) = 0;
  /// nullopt keeps everything.
  virtual std::optional<KeptIndices> decide(const LayerStep& layer_step) = 0;
  /// Likewise of all layers of a step at once (EvictionTiming::kPerStep), one answer each: where a
  /// decision has to come from a device, one wait does for all.
  virtual std::vector<std::optional<KeptIndices>> decide_step(std::span<const LayerStep> layers) {
    std::vector<std::optional<KeptIndices>> kept;
    for (const LayerStep& layer_step : layers) kept.push_back(decide(layer_step));
    return kept;
  }
  /// What a layer's step attends to. Asked before the step is attended.
  [[nodiscard]] virtual Reading read(const KvCache& /*cache*/,
                                     const StepInfo& /*step*/,
                                     int64_t /*layer*/) const {
    return {};
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
