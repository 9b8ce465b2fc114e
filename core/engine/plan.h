#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/engine/layer_head_tokens.h"
#include "core/engine/step.h"
#include "core/engine/step_counts.h"
#include "core/engine/token_format.h"

namespace kvscope {

/// What determines the size of a cache, known before a weight is loaded.
struct CacheGeometry {
  int64_t layers = 0;
  int64_t heads = 0;     ///< key/value heads: what is stored, counted and decided by
  int64_t head_dim = 0;  ///< channels a head
  at::ScalarType key_type = at::kFloat;
  at::ScalarType value_type = at::kFloat;
  std::vector<StepInfo> steps = {};
  int64_t line_tokens = 0;  ///< image tokens per line of a next-token model; 0 for next-scale
  TokenFormat format = {};  ///< what of it is packed; what is not has the types above
  /// In which the model computes a step's keys and values, before they are stored.
  at::ScalarType step_type = at::kFloat;
  /// Heads of the queries, a multiple of `heads`; no byte depends on them. Query head i reads
  /// key/value head i / (query_heads / heads) (RaggedRows).
  int64_t query_heads = heads;

  /// Bytes of one token's K and V in one head of one row, in the types above.
  [[nodiscard]] int64_t token_bytes() const;
  /// Bytes of a head's `tokens` in one row, as stored.
  [[nodiscard]] int64_t head_bytes(int64_t tokens) const;
};

/// What the counts of a plan fix.
enum class CountScope : uint8_t {
  kHead,   ///< the tokens of every (layer, head)
  kLayer,  ///< the sum over the heads of a layer; each (row, head) gets its share during the run
};

/// When a policy decides about what a step adds, and what stays is stored.
enum class EvictionTiming : uint8_t {
  kPerLayer,  ///< as soon as a layer has attended: the step's K and V go with the layer
  kPerStep,   ///< all layers together after the last one, which asks least of a device; the step's
              ///< K and V of all layers wait for it
};

/// [layers][heads] which of an allocation's kinds a head is of; what the numbers mean is between
/// the components of a policy. Empty: all heads are of kind 0.
using HeadTypes = std::vector<std::vector<uint8_t>>;

/// Capacity for one row's tokens of a layer in a SideFormat.
struct PoolTokens {
  int64_t packed = 0;
  int64_t full = 0;
};

/// Tokens kept after every (step, layer, head), hence every byte, before the run.
/// A row is one sequence of the batch (2 an image under classifier-free guidance); all rows keep
/// the same counts (of a head, or of a layer, as the scope says), each its own tokens.
class Plan {
 public:
  Plan() = default;
  /// `kept` [steps]: tokens left in the cache after the step; under kLayer only their sum over the
  /// heads binds. Throws Error(kAudit) where a count is negative or exceeds what
  /// exists then, or a step that is not stored changes one.
  Plan(CacheGeometry geometry,
       StepCounts kept,
       CountScope scope = CountScope::kHead,
       HeadTypes head_types = {});

  [[nodiscard]] const CacheGeometry& geometry() const { return geometry_; }
  [[nodiscard]] CountScope scope() const { return scope_; }
  [[nodiscard]] uint8_t head_type(int64_t layer, int64_t head) const {
    return head_types_.empty() ? uint8_t{0} : head_types_.at(layer).at(head);
  }
  /// Under kLayer a head's share on average.
  [[nodiscard]] int64_t kept(int64_t step, int64_t layer, int64_t head) const;
  /// Largest number of tokens (layer, head) ever keeps: its slots in the arena.
  [[nodiscard]] int64_t capacity(int64_t layer, int64_t head) const;
  /// Tokens of all heads of a layer after `step`, one row.
  [[nodiscard]] int64_t layer_kept(int64_t step, int64_t layer) const;
  /// Arena rows of a layer, one row of the batch: the sum of its heads' capacities, or under
  /// kLayer, where heads share a region, the largest sum.
  [[nodiscard]] int64_t layer_capacity(int64_t layer) const;
  /// Tokens of all layers and heads after `step`, one row.
  [[nodiscard]] int64_t live_tokens(int64_t step) const;
  /// Bytes of all heads of a layer after `step`, one row. Under kLayer with a format whose bytes
  /// are not proportional to the tokens (bytes_are_exact() is false), those of equal shares.
  [[nodiscard]] int64_t layer_bytes(int64_t step, int64_t layer) const;
  /// Whether the counts fix the bytes, whatever share a head gets.
  [[nodiscard]] bool bytes_are_exact() const {
    return scope_ == CountScope::kHead || geometry_.format.is_linear();
  }
  /// Bytes of `rows` rows after `step`. The papers' memory tables count the state going into the
  /// last step: live_bytes(steps - 2, rows), which is also live_bytes(steps - 1, rows) as the last
  /// is not stored.
  [[nodiscard]] int64_t live_bytes(int64_t step, int64_t rows) const;
  /// Most bytes ever held at once. Under kPerLayer layers store one after the other, so within a
  /// step the layers up to one hold what they keep after the step and the rest what they kept
  /// before it.
  [[nodiscard]] int64_t peak_live_bytes(int64_t rows,
                                        EvictionTiming timing = EvictionTiming::kPerLayer) const;
  /// Capacity that a layer's heads need in `format`, however they share under kLayer.
  [[nodiscard]] PoolTokens pool_tokens(int64_t layer, const SideFormat& format) const;
  /// Bytes that are allocated: the arena that holds every layer_capacity(), with scratch_bytes().
  [[nodiscard]] int64_t arena_bytes(int64_t rows) const;
  /// Of them, the transient ones of a packed format: the largest layer in full, which is where
  /// attention reads it. 0 where nothing is packed.
  [[nodiscard]] int64_t scratch_bytes(int64_t rows) const;

 private:
  [[nodiscard]] const LayerHeadTokens& kept_after(int64_t step) const { return kept_->at(step); }

  CacheGeometry geometry_;
  /// Megabytes where the steps are tokens, and never changed: copies of a plan share them.
  std::shared_ptr<const StepCounts> kept_ = std::make_shared<const StepCounts>();
  CountScope scope_ = CountScope::kHead;
  HeadTypes head_types_;
  LayerHeadTokens capacity_;
};

/// The plan that keeps everything that is stored: the 100 % of every budget.
Plan full_plan(CacheGeometry geometry);

}  // namespace kvscope
