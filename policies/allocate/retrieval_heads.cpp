#include <optional>
#include <utility>

#include "policies/allocate/duo_heads.h"
#include "policies/part.h"

namespace kvscope {
namespace {

struct Settings {
  std::optional<HeadTable> scores;  // none: spread_heads()
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
    const HeadTable table = settings_.scores ? *settings_.scores : spread_heads(geometry);
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

/// scores (spread): how much every head retrieves, [layers][heads], as a list or the path of a
/// table (head_roles.h); the lowest stream. spread takes heads evenly, for models that nobody has
/// profiled. solve (heads): heads | recent, what follows from the budget: how many heads keep
/// everything, or how many of the newest tokens the streaming heads keep. sink_tokens (4), tokens a
/// streaming head keeps of the first ones (give protect sinks the same number). recent_tokens (60),
/// under heads: newest tokens of a streaming head, at least 1; at most half of what a small budget
/// leaves. streaming_ratio (0.5), under recent: share of the heads that stream, 0 to 1.
std::unique_ptr<Allocate> make_allocate_retrieval_heads(PartOptions& options) {
  Settings settings{.scores = head_table_option(options, "scores", "spread"),
                    .solve_heads = options.word("solve", "heads", {"heads", "recent"}) == "heads",
                    .sinks = options.integer("sink_tokens", 4, 0),
                    .recent = options.integer("recent_tokens", 60, 1),
                    .ratio = options.number("streaming_ratio", 0.5, 0.0, 1.0)};
  return std::make_unique<RetrievalHeads>(std::move(settings));
}

}  // namespace kvscope
