#include <utility>

#include "policies/component.h"
#include "policies/profiles/duo_heads.h"
#include "policies/profiles/head_map.h"

namespace kvscope {
namespace {

struct Settings {
  HeadMap scores;  // none of a model: spread_heads()
  bool solve_heads;
  int64_t sinks;
  int64_t recent;
  double ratio;
};

/// Retrieval heads keep everything and streaming heads the first tokens and the newest: see
/// duo_heads.h.
class RetrievalHeads : public Allocate {
 public:
  explicit RetrievalHeads(Settings settings) : settings_(std::move(settings)) {}

  [[nodiscard]] HeadKinds head_kinds() const override { return HeadKinds::kRetrievalStreaming; }

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const auto& geometry = request.geometry;
    const HeadTable* scores = settings_.scores.of(geometry);
    const HeadTable table = scores != nullptr ? *scores : spread_heads(geometry);
    const int64_t full = full_cache_tokens(geometry.steps);
    return settings_.solve_heads ? duo_by_heads(table, geometry, request.budget_tokens, full,
                                                settings_.sinks, settings_.recent)
                                       .tokens
                                 : duo_by_recent(table, geometry, request.budget_tokens, full,
                                                 settings_.sinks, settings_.ratio)
                                       .tokens;
  }

 private:
  Settings settings_;
};

}  // namespace

std::unique_ptr<Allocate> make_allocate_retrieval_heads(Options& options) {
  Settings settings{
      .scores = HeadMap::from_options(
          options, {.table = "scores",
                    .none = "spread",
                    .help = "how much every head retrieves; the lowest stream. spread: heads taken "
                            "evenly, also where a model has no map"}),
      .solve_heads =
          options.word({.key = "solve",
                        .default_value = "heads",
                        .allowed = {"heads", "recent"},
                        .help = "what follows from the budget: how many heads keep everything, or "
                                "how many of the newest tokens the streaming heads keep"}) ==
          "heads",
      .sinks = options.integer(
          {.key = "sink_tokens",
           .default_value = 4,
           .min = 0,
           .unit = "tokens",
           .help = "first tokens of a streaming head (give protect sinks the same number)"}),
      .recent = options.integer({.key = "recent_tokens",
                                 .default_value = 60,
                                 .min = 1,
                                 .unit = "tokens",
                                 .help = "under solve=heads, newest tokens of a streaming head; at "
                                         "most half of what a small budget leaves"}),
      .ratio = options.number({.key = "streaming_ratio",
                               .default_value = 0.5,
                               .min = 0,
                               .max = 1,
                               .help = "under solve=recent, share of the heads that stream"})};
  options.unused(settings.solve_heads ? "streaming_ratio" : "recent_tokens",
                 settings.solve_heads ? "it is under solve=recent" : "it is under solve=heads",
                 WrittenIn::kOverride);
  return std::make_unique<RetrievalHeads>(std::move(settings));
}

}  // namespace kvscope
