#include <algorithm>
#include <limits>
#include <numeric>

#include "policies/component.h"
#include "policies/shares/head_shares.h"

namespace kvscope {
namespace {

/// The scores of the tokens that a head may drop. Padding comes last, whatever it scores.
std::vector<float> free_scores(const ShareRequest& request, int64_t head) {
  const KvCache& cache = *request.layer_step.cache;
  const int64_t layer = request.layer_step.layer;
  const auto& is_protected = request.is_protected[static_cast<size_t>(head)];
  const float* line = request.scores[head].const_data_ptr<float>();
  const int64_t held = cache.length(layer, request.row, head);
  const bool padded = cache.has_padding();
  const int64_t old_padding = padded ? cache.padding_length(layer, request.row, head) : 0;
  const int64_t new_padding =
      padded ? cache.padding_of_step(request.layer_step.step, request.row) : 0;
  std::vector<float> scores;
  for (int64_t token = 0; token < request.available[static_cast<size_t>(head)]; ++token) {
    if (is_protected[static_cast<size_t>(token)] != 0) continue;
    const bool is_padding = token < old_padding || (token >= held && token < held + new_padding);
    scores.push_back(is_padding ? -std::numeric_limits<float>::infinity() : line[token]);
  }
  return scores;
}

/// Ada-KV (arXiv:2407.11550): every layer keeps the budget C a head on average; which head keeps
/// how many is decided at each eviction by the scores of all heads of the layer together.
class AllocateAdaptive : public Allocate {
 public:
  AllocateAdaptive(double floor, bool blend, bool weighted)
      : floor_(floor), blend_(blend), weighted_(weighted) {}

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const auto& geometry = request.geometry;
    return {geometry.layers, geometry.heads, request.budget_tokens};
  }

  [[nodiscard]] CountScope scope() const override { return CountScope::kLayer; }

  [[nodiscard]] std::vector<int64_t> share(const ShareRequest& request) const override {
    const auto heads = std::ssize(request.available);
    std::vector<std::vector<float>> scores;
    std::vector<int64_t> untouchable;
    for (int64_t head = 0; head < heads; ++head) {
      scores.push_back(free_scores(request, head));
      untouchable.push_back(request.available[static_cast<size_t>(head)] -
                            std::ssize(scores.back()));
    }
    const int64_t total =
        request.total - std::accumulate(untouchable.begin(), untouchable.end(), int64_t{0});
    const int64_t base = total / heads;
    const auto own = static_cast<int64_t>(static_cast<double>(base) * floor_);
    std::vector<int64_t> counts = joint_counts(scores, total, base, weighted_, blend_ ? 0 : own);
    if (blend_) {
      counts =
          fitted_counts(scores, floored_counts(counts, base, floor_), total, base, weighted_, own);
    }
    for (size_t head = 0; head < counts.size(); ++head) counts[head] += untouchable[head];
    return counts;
  }

 private:
  double floor_;
  bool blend_;
  bool weighted_;
};

}  // namespace

/// Equation: arXiv:2407.11550; head_shares.h. blend lays out the few tokens that its rounding
/// leaves by fitted_counts(), since a plan must be met exactly.
std::unique_ptr<Allocate> make_allocate_adaptive(Options& options) {
  const double floor = options.number({.key = "floor",
                                       .default_value = 0.2,
                                       .min = 0,
                                       .max = 1,
                                       .help = "part of its even share that a head keeps whatever "
                                               "the others score; 1 is the same for all"});
  const bool blend =
      options.word({.key = "floor_rule",
                    .default_value = "blend",
                    .allowed = {"blend", "safeguard"},
                    .help = "blend: mix even and adaptive counts, joint (1 - floor) + int(share "
                            "floor), as KVCache-Factory; safeguard: guarantee int(share floor) "
                            "tokens and let the rest compete, as kvpress"}) == "blend";
  const bool weighted =
      options.word(
          {.key = "weight",
           .default_value = "top_share",
           .allowed = {"top_share", "none"},
           .help = "top_share: a head's scores count times the part that its best tokens have of "
                   "all it pays, so that concentrated attention counts for more; none: plainly"}) ==
      "top_share";
  return std::make_unique<AllocateAdaptive>(floor, blend, weighted);
}

}  // namespace kvscope
