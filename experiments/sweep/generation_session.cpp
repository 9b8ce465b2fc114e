#include "experiments/sweep/generation_session.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <utility>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/config/hash.h"
#include "core/device/allocation_meter.h"
#include "core/device/device_error.h"
#include "core/engine/kv_memory.h"

namespace kvscope {
namespace {

constexpr double kPeakTolerance = 0.02;

void check_bytes(
    const Point& point, const char* what, int64_t found, int64_t planned, double tolerance) {
  const auto error = static_cast<double>(std::abs(found - planned));
  if (error <= tolerance * static_cast<double>(planned)) return;
  const std::string name =
      point.hash.empty() ? std::string("audit") : "point " + short_hash(point.hash);
  throw Error(ErrorKind::kAudit, fmt::format("{}: {} bytes {}; planned {}, tolerance {:g} %", name,
                                             found, what, planned, 100 * tolerance));
}

}  // namespace

GenerationSession::GenerationSession(const Point& point, ImageModel& model, at::Device device)
    : point_(point), model_(model), device_(device), policy_(point.policy()) {
  if (point.launch.threads) at::set_num_threads(static_cast<int>(*point.launch.threads));
}

GenerationSession::Drawn GenerationSession::drawn(std::span<const uint64_t> images) const {
  Drawn drawn;
  for (const uint64_t image : images) {
    const Prompt& prompt = point_.prompt_of(image);
    drawn.prompts.push_back(&prompt);
    drawn.texts.push_back(prompt.text);
    drawn.seeds.push_back(point_.seed_of(image));
    drawn.generators.push_back(generator_of_seed(drawn.seeds.back()));
  }
  return drawn;
}

MadeBatch GenerationSession::make(std::span<const uint64_t> images,
                                  std::vector<AttentionObserver*> observers,
                                  FullCacheImages full_cache) {
  const GenerationSettings& settings = point_.generation;
  const int64_t rows = model_.rows(std::ssize(images), settings.sampling);
  if (!cache_ || cache_->rows() != rows) {
    cache_.reset();  // the old arena goes before the new one comes
    cache_.emplace(point_.plan, rows, device_);
  }
  MadeBatch batch;
  Drawn draws = drawn(images);
  batch.prompts = std::move(draws.prompts);
  batch.seeds = std::move(draws.seeds);
  AttentionContext context{.cache = *cache_,
                           .controller = policy_.get(),
                           .observers = std::move(observers),
                           .eviction_timing = settings.eviction_timing};
  const AllocationMeter meter(device_);
  batch.generated = model_.generate(draws.texts, settings.sampling, draws.generators, context);
  batch.memory = audited(context);
  // On a CPU the arena comes from the system and not from LibTorch; on a GPU it is older than the
  // meter. Neither counts it.
  batch.memory.allocator_peak_bytes = batch.memory.arena_bytes + meter.peak_bytes();
  batch.memory.device_peak_bytes = meter.device_peak_bytes();
  if (full_cache == FullCacheImages::kMade) {
    const auto start = std::chrono::steady_clock::now();
    KvCache full(full_plan(point_.plan.geometry()), rows, device_);
    AttentionContext keeps_everything{.cache = full};
    draws = drawn(images);
    batch.full_cache_tokens =
        model_.generate(draws.texts, settings.sampling, draws.generators, keeps_everything).tokens;
    batch.full_cache_ms = milliseconds_since(start);
  }
  return batch;
}

std::optional<MadeBatch> GenerationSession::make_if_memory_suffices(
    std::span<const uint64_t> images,
    std::vector<AttentionObserver*> observers,
    FullCacheImages full_cache) {
  try {
    return make(images, std::move(observers), full_cache);
  } catch (const std::exception& error) {
    const std::optional<OutOfMemory> memory = out_of_memory(error);
    if (!memory) throw;
    cache_.reset();
    if (!point_.generation.batch_is_auto || images.size() == 1) throw OutOfMemory(*memory);
  }
  return std::nullopt;
}

BatchMemory GenerationSession::audited(const AttentionContext& context) const {
  const Plan& plan = point_.plan;
  const int64_t rows = cache_->rows();
  const EvictionTiming timing = point_.generation.eviction_timing;
  const auto last = static_cast<int64_t>(plan.geometry().steps.size()) - 1;
  cache_->audit(last);
  const BatchMemory memory{
      .kv_live_bytes = cache_->live_bytes(),
      .kv_live_planned_bytes = plan.live_bytes(last, rows),
      .kv_peak_bytes = context.kv_peak_bytes,
      .kv_peak_planned_bytes = peak_kv_bytes(plan, rows, policy_->kv_transients(plan, timing)),
      .arena_bytes = cache_->allocated_bytes(),
      .arena_planned_bytes = plan.arena_bytes(rows),
      .allocator_planned_bytes =
          plan.arena_bytes(rows) + max_step_bytes(plan.geometry(), rows, timing)};
  check_bytes(point_, "allocated", memory.arena_bytes, memory.arena_planned_bytes, 0);
  // Heads that share a packed layer during the run have groups of their own sizes: the cache has
  // audited its bytes by the tokens it holds, and the plan knows those of equal shares only.
  if (!plan.bytes_are_exact()) return memory;
  check_bytes(point_, "live", memory.kv_live_bytes, memory.kv_live_planned_bytes, 0);
  check_bytes(point_, "at the peak", memory.kv_peak_bytes, memory.kv_peak_planned_bytes,
              kPeakTolerance);
  return memory;
}

}  // namespace kvscope
