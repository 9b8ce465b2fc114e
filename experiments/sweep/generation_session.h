#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/engine/kv_cache.h"
#include "core/models/image_model.h"
#include "experiments/sweep/point.h"

namespace kvscope {

/// What a batch held while it was made, all its images together, and what the plan said.
struct BatchMemory {
  int64_t kv_live_bytes = 0;  ///< going into the last step
  int64_t kv_live_planned_bytes = 0;
  int64_t kv_peak_bytes = 0;  ///< see AttentionContext
  int64_t kv_peak_planned_bytes = 0;
  int64_t arena_bytes = 0;
  int64_t arena_planned_bytes = 0;
  /// The arena, and beside it the most that LibTorch handed out while the batch was made.
  int64_t allocator_peak_bytes = 0;
  int64_t allocator_planned_bytes = 0;
  std::optional<int64_t> device_peak_bytes{};  ///< everything on it; none on a CPU
};

/// A batch of a point's images, and where each comes from.
struct MadeBatch {
  GeneratedBatch generated;
  std::vector<const Prompt*> prompts;  ///< [images], of the point
  std::vector<uint64_t> seeds;         ///< [images]
  BatchMemory memory;
  /// [images] the tokens that a full cache makes of the same prompts and seeds, as
  /// GeneratedBatch::tokens; empty where not asked for.
  std::vector<std::vector<uint8_t>> full_cache_tokens{};
  double full_cache_ms = 0;  ///< that took
};

/// Whether the images of a batch are also made with a full cache, to compare them with.
enum class FullCacheImages : uint8_t { kNone, kMade };

/// The one way in which images of a point are made: rows, generators, cache, policy and audit.
/// Point, model and device outlive it. The cache stays from batch to batch of one size.
class GenerationSession {
 public:
  GenerationSession(const Point& point, ImageModel& model, at::Device device);

  /// The images with these numbers, 0 .. point.images() - 1, at once. Throws Error(kAudit) where
  /// the tokens kept, their bytes, the arena, or the peak by more than 2 % are not as planned,
  /// Error(kEnvironment) where the memory is not to be had, and what the model throws.
  MadeBatch make(std::span<const uint64_t> images,
                 std::vector<AttentionObserver*> observers = {},
                 FullCacheImages full_cache = FullCacheImages::kNone);

  /// The same; nullopt where memory does not suffice for them and gen.batch=auto lets fewer be
  /// tried. Throws OutOfMemory where it does not. The cache's memory is given back either way.
  std::optional<MadeBatch> make_if_memory_suffices(
      std::span<const uint64_t> images,
      std::vector<AttentionObserver*> observers = {},
      FullCacheImages full_cache = FullCacheImages::kNone);

  /// As the last batch left it.
  [[nodiscard]] const KvCache& cache() const { return *cache_; }

 private:
  /// Prompts, seeds and generators of images.
  struct Drawn {
    std::vector<const Prompt*> prompts;
    std::vector<std::string> texts;
    std::vector<at::Generator> generators;
    std::vector<uint64_t> seeds;
  };
  [[nodiscard]] Drawn drawn(std::span<const uint64_t> images) const;
  [[nodiscard]] BatchMemory audited(const AttentionContext& context) const;

  const Point& point_;
  ImageModel& model_;
  at::Device device_;
  std::unique_ptr<Policy> policy_;
  std::optional<KvCache> cache_;
};

}  // namespace kvscope
