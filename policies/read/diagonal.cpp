#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/engine/padding.h"
#include "kernels/attention_rows/attention_rows.h"
#include "policies/component.h"
#include "policies/signals/packed_rows.h"

namespace kvscope {
namespace {

/// What one (row, head) of a layer has learned to look past.
struct Skipped {
  int64_t window = 0;              // N_r; 0: nothing is ever dropped, so nothing is skipped
  std::vector<uint8_t> distances;  // [N_r] 1: the token so many positions back is not attended to
  int64_t count = 0;
};

/// Diagonal attention (arXiv:2609.19702). The newest N_r tokens of the image, the query's own
/// among them, are the window; the condition tokens stay beside it: a policy that keeps the newest
/// tokens and protects the text. In raster order attention runs
/// along diagonals of its map, so what a head can skip are distances from the query, not tokens:
/// while the window fills, from the N_att-th token on, the distance with the least attention joins
/// the head's skip set after every step, until N_att of N_r are left; of a
/// group of query heads their mean decides. The window is stored in full,
/// as a skipped token may be looked at again later; attention reads N_att of it.
class Diagonal : public Read {
 public:
  Diagonal(double attended_share, int64_t attended_tokens, int64_t sinks)
      : attended_share_(attended_share), attended_tokens_(attended_tokens), sinks_(sinks) {}

  void begin_generation(int64_t /*rows*/) override { layers_.clear(); }

  [[nodiscard]] bool needs_newest() const override { return true; }
  /// Attention of tokens that lie otherwise is another in the last bit.
  [[nodiscard]] bool order_free() const override { return false; }

  [[nodiscard]] std::optional<KeptIndices> seen(const KvCache& cache,
                                                const StepInfo& step,
                                                int64_t layer) const override {
    const auto at_layer = static_cast<std::size_t>(layer);
    if (step.kind != StepKind::kToken || at_layer >= layers_.size()) return std::nullopt;
    const std::vector<Skipped>& slots = layers_[at_layer];
    const auto learned = [](const Skipped& skipped) { return skipped.count > 0; };
    if (std::ranges::none_of(slots, learned)) return std::nullopt;
    const int64_t heads = cache.plan().geometry().heads;
    KeptIndices attended(slots.size());
    for (std::size_t slot = 0; slot < slots.size(); ++slot) {
      const auto at = static_cast<int64_t>(slot);
      const auto origins = cache.origins(layer, at / heads, at % heads);
      for (int64_t index = 0; index < std::ssize(origins); ++index) {
        const int64_t distance = window_distance(cache, step, origins[index]);
        const bool skip = distance > 0 && distance < std::ssize(slots[slot].distances) &&
                          slots[slot].distances[static_cast<std::size_t>(distance)] != 0;
        if (!skip) attended[slot].push_back(index);
      }
    }
    return attended;
  }

  /// By the pace of observe(): nothing in it depends on what attention looks like.
  [[nodiscard]] std::optional<ReadTokens> tokens(const Plan& plan,
                                                 const StepInfo& step,
                                                 int64_t layer) const override {
    if (step.kind != StepKind::kToken) return std::nullopt;
    const CacheGeometry& geometry = plan.geometry();
    const int64_t beside = condition_tokens(geometry.steps) + sinks_;
    const int64_t sampled = step.first_token - beside;
    int64_t tokens = 0;
    bool any_learned = false;
    for (int64_t head = 0; head < geometry.heads; ++head) {
      const int64_t window = window_tokens(plan, layer, head);
      const int64_t attends = attended_of(window);
      // The first step that learns has a token behind it to learn of.
      const int64_t learned = std::clamp<int64_t>(sampled - std::max<int64_t>(attends - 1, 1), 0,
                                                  std::max<int64_t>(window - attends, 0));
      any_learned = any_learned || learned > 0;
      tokens += plan.kept(step.index - 1, layer, head) - learned;
    }
    if (!any_learned) return std::nullopt;
    return ReadTokens{.seen = tokens, .copied = tokens};
  }

  void observe(const LayerStep& layer_step) override {
    const StepInfo& step = layer_step.step;
    const KvCache& cache = *layer_step.cache;
    const CacheGeometry& geometry = cache.plan().geometry();
    if (step.kind != StepKind::kToken) return;
    const auto layer = static_cast<std::size_t>(layer_step.layer);
    if (layers_.size() <= layer) layers_.resize(layer + 1);
    const int64_t sampled = step.first_token - condition_tokens(geometry.steps) - sinks_;
    std::vector<Skipped>& slots = layers_[layer];
    if (slots.empty()) slots = new_slots(cache, layer_step.layer);
    at::Tensor weights;  // fetched for the first head that learns
    const RaggedRows history = cache.history(layer_step.layer);
    const std::vector<int64_t> offsets = column_offsets(history.length, 1);
    for (std::size_t slot = 0; slot < slots.size(); ++slot) {
      const int64_t attends = attended_of(slots[slot].window);
      if (sampled < attends - 1 || slots[slot].count >= slots[slot].window - attends) continue;
      if (!weights.defined()) weights = weights_of(layer_step, history);
      learn(layer_step, slots[slot], static_cast<int64_t>(slot),
            weights.const_data_ptr<float>() + offsets[slot]);
    }
  }

 private:
  /// How far back a held token of the window lies; 0 for condition tokens and sinks.
  [[nodiscard]] int64_t window_distance(const KvCache& cache,
                                        const StepInfo& step,
                                        const TokenOrigin& origin) const {
    const CacheGeometry& geometry = cache.plan().geometry();
    const int64_t position = position_of(origin, geometry.steps);
    return position < condition_tokens(geometry.steps) + sinks_ ? 0 : step.first_token - position;
  }

  [[nodiscard]] std::vector<Skipped> new_slots(const KvCache& cache, int64_t layer) const {
    std::vector<Skipped> slots;
    const int64_t heads = cache.plan().geometry().heads;
    for (int64_t slot = 0; slot < cache.rows() * heads; ++slot) {
      const int64_t window = window_tokens(cache.plan(), layer, slot % heads);
      slots.push_back({.window = window,
                       .distances = std::vector<uint8_t>(static_cast<std::size_t>(window), 0)});
    }
    return slots;
  }

  /// N_r: what the plan leaves a head after an eviction, less what stays beside the window, and the
  /// query's own token.
  [[nodiscard]] int64_t window_tokens(const Plan& plan, int64_t layer, int64_t head) const {
    const CacheGeometry& geometry = plan.geometry();
    constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
    int64_t held = kNever;
    for (const StepInfo& step : geometry.steps) {
      const int64_t kept = plan.kept(step.index, layer, head);
      if (step.stored && kept < step.first_token + step.queries()) held = std::min(held, kept);
    }
    if (held == kNever) return 0;
    return std::max<int64_t>(held - condition_tokens(geometry.steps) - sinks_, 0) + 1;
  }

  [[nodiscard]] int64_t attended_of(int64_t window) const {
    const int64_t wanted = attended_tokens_ > 0
                               ? attended_tokens_
                               : std::llround(attended_share_ * static_cast<double>(window));
    return std::min(std::max<int64_t>(wanted, 1), window);
  }

  static at::Tensor weights_of(const LayerStep& layer_step, const RaggedRows& history) {
    const std::vector<int64_t> query{0};
    const at::Tensor rows = attention_rows(layer_step.q, layer_step.lse, history, layer_step.k,
                                           layer_step.softmax_scale, query);
    return fill_padding(mean_over_group(layer_step, rows), layer_step, 1, 0.0)
        .to(at::kCPU)
        .contiguous();
  }

  /// The attended distance with the least weight joins the skip set.
  void learn(const LayerStep& layer_step,
             Skipped& skipped,
             int64_t slot,
             const float* weights) const {
    const KvCache& cache = *layer_step.cache;
    const int64_t heads = cache.plan().geometry().heads;
    const auto origins = cache.origins(layer_step.layer, slot / heads, slot % heads);
    int64_t least = 0;
    float least_weight = std::numeric_limits<float>::infinity();
    for (int64_t index = 0; index < std::ssize(origins); ++index) {
      const int64_t distance = window_distance(cache, layer_step.step, origins[index]);
      if (distance < 1 || distance >= std::ssize(skipped.distances) ||
          skipped.distances[static_cast<std::size_t>(distance)] != 0) {
        continue;
      }
      if (!std::isfinite(weights[index])) {
        throw Error(
            ErrorKind::kNumerics,
            fmt::format("diagonal: step {}, layer {}, row {}, head {}: attention to a token "
                        "is {}; expected finite numbers, so check keys, queries and the "
                        "precision of this layer",
                        layer_step.step.index, layer_step.layer, slot / heads, slot % heads,
                        weights[index]));
      }
      if (weights[index] < least_weight) {
        least = distance;
        least_weight = weights[index];
      }
    }
    if (least == 0) return;
    skipped.distances[static_cast<std::size_t>(least)] = 1;
    ++skipped.count;
  }

  double attended_share_;
  int64_t attended_tokens_;
  int64_t sinks_;
  std::vector<std::vector<Skipped>> layers_;  // [layers][rows * heads]
};

}  // namespace

/// N_r is what the budget leaves beside condition tokens and sinks; the paper names neither N_r nor
/// N_att. Of equal weights the oldest token is skipped. A full budget skips nothing. A step of a
/// next-scale model has a query for every position, so there nothing is skipped.
std::unique_ptr<Read> make_read_diagonal(Options& options) {
  const double share = options.number({.key = "attended_share",
                                       .default_value = 0.25,
                                       .min = 0,
                                       .max = 1,
                                       .help = "N_att / N_r, at least one token"});
  const int64_t tokens =
      options.integer({.key = "attended_tokens",
                       .default_value = 0,
                       .min = 0,
                       .unit = "tokens",
                       .help = "N_att itself, which then counts instead; 0: by attended_share"});
  if (tokens > 0) {
    options.unused("attended_share", "attended_tokens counts instead", WrittenIn::kOverride);
  }
  const int64_t sinks =
      options.integer({.key = "sinks",
                       .default_value = 0,
                       .min = 0,
                       .unit = "tokens",
                       .help = "first tokens of the image that are always attended to, as many "
                               "as protect: anchors keeps (the paper's variant: 4)"});
  return std::make_unique<Diagonal>(share, tokens, sinks);
}

}  // namespace kvscope
