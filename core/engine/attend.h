#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/device/work_clock.h"
#include "core/engine/kv_cache.h"
#include "core/engine/layer_step.h"
#include "core/engine/rotation.h"
#include "core/engine/waiting_step.h"

namespace kvscope {

/// What a generation attends through: the cache, who decides, who watches, and the clock of both
/// parts.
struct AttentionContext {
  KvCache& cache;
  CacheController* controller = nullptr;  ///< null keeps everything
  std::vector<AttentionObserver*> observers = {};
  /// Set by the model as a generation begins; empty where it does not rotate queries and keys. One
  /// row a position of the generation.
  std::optional<RotationTable> rotation = std::nullopt;
  /// [rows] numbers that tell rows apart, the same whatever batch they are generated in; empty: all
  /// rows are 0. Set by begin_generation().
  std::vector<uint64_t> row_seeds = {};
  EvictionTiming eviction_timing = EvictionTiming::kPerLayer;  ///< when a step is stored
  WaitingStep waiting{};        ///< under kPerStep: what is not stored yet
  WorkClock attention_clock{};  ///< time in attention kernels
  WorkClock policy_clock{};     ///< time deciding and compacting
  /// Most bytes of K and V at once so far: tokens held, the step of the layer that attends, what
  /// waits to be stored, and what attention reads copies of (a layer in full of a packed cache,
  /// turned keys).
  int64_t kv_peak_bytes = 0;
};

/// A generation begins: empties the cache, names its rows and tells controller and observers.
/// `generators` are the images' own, one each: row r is image r % images, and its seed comes from
/// that image's, so that the two rows of a guided image differ. None: rows have no seeds.
void begin_generation(AttentionContext& context, std::span<const at::Generator> generators);

/// Attends over [history | current], lets observers look, then stores what the controller keeps:
/// at once, or with all layers of the step after the last one, as context.eviction_timing says.
/// Returns [rows, query heads, queries, head_dim]. Throws Error(kAudit) where the queries are of
/// other heads than CacheGeometry::query_heads, or the context has seeds for other rows.
/// A step that is not stored is never offered to the controller. A prefill is causal among its own
/// tokens. Padding (KvCache::set_padding) is seen by nobody, and a padding query sees itself alone.
/// A step sees itself and, of the history, what the controller wants it to (Reading). Observers run
/// outside both clocks. Where the controller wants keys at their positions in the cache, throws
/// Error(kConfig) if the model's positions are no line, or if anybody observes, as what is cached
/// is then not what the queries saw.
at::Tensor attend(AttentionContext& context, const AttentionInputs& inputs);

}  // namespace kvscope
