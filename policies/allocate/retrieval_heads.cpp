#include <utility>

#include "policies/allocate/duo_heads.h"
#include "policies/allocate/head_map.h"
#include "policies/part.h"

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

/// scores (auto), maps (none): how much every head retrieves, see HeadMap; the lowest stream.
/// spread takes heads evenly, also where a model has no map. solve (heads): heads | recent, what
/// follows from the budget: how many heads keep everything, or how many of the newest tokens the
/// streaming heads keep. sink_tokens (4), tokens a streaming head keeps of the first ones (give
/// protect sinks the same number). recent_tokens (60), under heads: newest tokens of a streaming
/// head, at least 1; at most half of what a small budget leaves. streaming_ratio (0.5), under
/// recent: share of the heads that stream, 0 to 1.
std::unique_ptr<Allocate> make_allocate_retrieval_heads(PartOptions& options) {
  Settings settings{.scores = HeadMap::from_options(options, {.table = "scores", .none = "spread"}),
                    .solve_heads = options.word("solve", "heads", {"heads", "recent"}) == "heads",
                    .sinks = options.integer("sink_tokens", 4, 0),
                    .recent = options.integer("recent_tokens", 60, 1),
                    .ratio = options.number("streaming_ratio", 0.5, 0.0, 1.0)};
  return std::make_unique<RetrievalHeads>(std::move(settings));
}

}  // namespace kvscope
