#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/engine/step.h"

namespace kvscope {

/// What determines the size of a cache, known before a weight is loaded.
struct CacheGeometry {
  int64_t layers = 0;
  int64_t heads = 0;     ///< key/value heads
  int64_t head_dim = 0;  ///< channels a head
  at::ScalarType key_type = at::kFloat;
  at::ScalarType value_type = at::kFloat;
  std::vector<StepInfo> steps = {};

  /// Bytes of one token's K and V in one head of one row.
  [[nodiscard]] int64_t token_bytes() const;
};

/// Tokens kept after every (step, layer, head), hence every byte, before the run.
/// A row is one sequence of the batch (2 an image under classifier-free guidance); all rows keep
/// the same counts, each its own tokens.
class Plan {
 public:
  Plan() = default;
  /// `kept` [steps][layers][heads]: tokens left in the cache after the step. Throws Error(kAudit)
  /// where a count is negative or exceeds what exists then, or a step that is not stored changes
  /// one.
  Plan(CacheGeometry geometry, std::vector<std::vector<std::vector<int64_t>>> kept);

  [[nodiscard]] const CacheGeometry& geometry() const { return geometry_; }
  [[nodiscard]] int64_t kept(int64_t step, int64_t layer, int64_t head) const;
  /// Largest number of tokens (layer, head) ever keeps: its slots in the arena.
  [[nodiscard]] int64_t capacity(int64_t layer, int64_t head) const;
  /// Tokens of all layers and heads after `step`, one row.
  [[nodiscard]] int64_t live_tokens(int64_t step) const;
  /// Bytes of `rows` rows after `step`. The papers' memory tables count the state going into the
  /// last step: live_bytes(steps - 2, rows), which is also live_bytes(steps - 1, rows) as the last
  /// is not stored.
  [[nodiscard]] int64_t live_bytes(int64_t step, int64_t rows) const;
  /// Most bytes ever held at once. Layers store one after the other, so within a step the layers up
  /// to one hold what they keep after the step and the rest what they kept before it.
  [[nodiscard]] int64_t peak_live_bytes(int64_t rows) const;
  /// Bytes of the arena that holds every (layer, head) at its own largest count.
  [[nodiscard]] int64_t arena_bytes(int64_t rows) const;

 private:
  CacheGeometry geometry_;
  std::vector<std::vector<std::vector<int64_t>>> kept_;
  std::vector<std::vector<int64_t>> capacity_;  // [layers][heads]
};

/// The plan that keeps everything that is stored: the 100 % of every budget.
Plan full_plan(CacheGeometry geometry);

}  // namespace kvscope
