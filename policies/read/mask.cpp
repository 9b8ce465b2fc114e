#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "policies/component.h"
#include "policies/index_ranges.h"

namespace kvscope {
namespace {

/// What is hidden, and from whom.
struct Hidden {
  IndexRanges layers;
  IndexRanges heads;
  IndexRanges steps;
  IndexRanges from_steps;
  bool text = false;
  int64_t sinks = 0;
};

/// For ablations: in some heads of some layers the tokens of some earlier steps, the condition
/// tokens or the first tokens take no part in the attention of all later steps, or of some. They
/// are stored, counted and scored as if they did; a step always sees itself, so that a head whose
/// whole history is hidden attends to the current step alone. Observers and scores of a step's own
/// attention see none on hidden tokens; scores that recompute the attention of earlier queries look
/// at all that is held.
class Mask : public Read {
 public:
  explicit Mask(Hidden hidden) : hidden_(std::move(hidden)) {}

  void check(const CacheGeometry& geometry) const override {
    const auto fits = [](const char* key, const IndexRanges& ranges, int64_t count) {
      if (ranges.largest() < count) return;
      throw Error(ErrorKind::kConfig,
                  fmt::format("policy.read.{}: there is no {}: the model has {}, counted from 0; "
                              "expected at most {}",
                              key, ranges.largest(), count, count - 1));
    };
    fits("layers", hidden_.layers, geometry.layers);
    fits("heads", hidden_.heads, geometry.heads);
    fits("steps", hidden_.steps, std::ssize(geometry.steps));
    fits("from_steps", hidden_.from_steps, std::ssize(geometry.steps));
  }

  [[nodiscard]] bool copies_all_held() const override { return true; }

  [[nodiscard]] std::optional<KeptIndices> seen(const KvCache& cache,
                                                const StepInfo& step,
                                                int64_t layer) const override {
    if (!applies(step, layer)) return std::nullopt;
    const int64_t heads = cache.plan().geometry().heads;
    KeptIndices seen(static_cast<std::size_t>(cache.rows() * heads));
    for (int64_t slot = 0; slot < std::ssize(seen); ++slot) {
      const int64_t row = slot / heads;
      const bool hides = hidden_.heads.contains(slot % heads);
      const auto origins = cache.origins(layer, row, slot % heads);
      for (int64_t index = 0; index < std::ssize(origins); ++index) {
        if (hides && hides_token(cache.plan().geometry(), origins[static_cast<std::size_t>(index)],
                                 cache.padding(row))) {
          continue;
        }
        seen[static_cast<std::size_t>(slot)].push_back(index);
      }
    }
    return seen;
  }

  [[nodiscard]] std::optional<ReadTokens> tokens(const Plan& plan,
                                                 const StepInfo& step,
                                                 int64_t layer) const override {
    if (!applies(step, layer)) return std::nullopt;
    const CacheGeometry& geometry = plan.geometry();
    int64_t visible = 0;  // of all that was ever made
    for (int64_t earlier = 0; earlier < step.index; ++earlier) {
      for (int64_t token = 0; token < geometry.steps[earlier].queries(); ++token) {
        const TokenOrigin origin{static_cast<int32_t>(earlier), static_cast<int32_t>(token)};
        if (!hides_token(geometry, origin, 0)) ++visible;
      }
    }
    ReadTokens tokens{.copied = plan.layer_kept(step.index - 1, layer)};
    for (int64_t head = 0; head < geometry.heads; ++head) {
      const int64_t held = plan.kept(step.index - 1, layer, head);
      tokens.seen += hidden_.heads.contains(head) ? std::min(held, visible) : held;
    }
    return tokens;
  }

 private:
  [[nodiscard]] bool applies(const StepInfo& step, int64_t layer) const {
    const bool hides_anything = !hidden_.steps.empty() || hidden_.text || hidden_.sinks > 0;
    return hides_anything && step.index > 0 && hidden_.layers.contains(layer) &&
           hidden_.from_steps.contains(step.index);
  }

  [[nodiscard]] bool hides_token(const CacheGeometry& geometry,
                                 const TokenOrigin& origin,
                                 int64_t padding) const {
    const StepInfo& writer = geometry.steps[static_cast<std::size_t>(origin.step)];
    return hidden_.steps.contains(origin.step) ||
           (hidden_.text && writer.kind == StepKind::kPrefill) ||
           writer.first_token + origin.token - padding < hidden_.sinks;
  }

  Hidden hidden_;
};

}  // namespace

std::unique_ptr<Read> make_read_mask(Options& options) {
  Hidden hidden;
  hidden.layers = IndexRanges::from_option(
      options, {.key = "layers", .default_word = "all", .help = "layers in which it is hidden"});
  hidden.heads = IndexRanges::from_option(
      options, {.key = "heads",
                .default_word = "all",
                .help = "heads, those of keys and values, from which it is hidden"});
  hidden.steps = IndexRanges::from_option(
      options, {.key = "steps",
                .default_word = "none",
                .help = "earlier steps (scales of a next-scale model; the prefill is 0) whose "
                        "tokens are hidden. all: the whole history"});
  hidden.from_steps = IndexRanges::from_option(
      options, {.key = "from_steps",
                .default_word = "all",
                .help = "steps from which it is hidden: their queries look past it, those of other "
                        "steps see it",
                .identity = Identity::kUnlessDefault});
  hidden.text = options.flag({.key = "text",
                              .default_value = false,
                              .help = "the condition tokens of a next-token model are hidden"});
  hidden.sinks = options.integer({.key = "sinks",
                                  .default_value = 0,
                                  .min = 0,
                                  .unit = "tokens",
                                  .help = "so many first tokens of the generation are hidden"});
  return std::make_unique<Mask>(std::move(hidden));
}

}  // namespace kvscope
