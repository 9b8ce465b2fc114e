#include <ATen/ATen.h>
#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/error.h"
#include "core/engine/padding.h"
#include "kernels/attention_rows/attention_rows.h"
#include "kernels/linear/linear.h"
#include "policies/component.h"
#include "policies/signals/observation_window.h"
#include "policies/signals/packed_rows.h"
#include "policies/signals/pool.h"
#include "policies/signals/recent_queries.h"

namespace kvscope {
namespace {

constexpr double kNothing = -std::numeric_limits<double>::infinity();

struct Choices {
  int64_t window = 16;
  PatchCentre centre = PatchCentre::kUpperLeft;
  bool square_1m = false;  ///< the window's grid as if the image were square, 1M pixels
  bool raw_query = true;   ///< the projection alone, not the query that attention used
  bool softmax = false;    ///< attention weights, not logits
  PoolKind pool = PoolKind::kMaximum;
  int64_t kernel = 5;
  bool window_in_pool = false;  ///< the window's own tokens lend their score to their neighbours
  bool past_only = false;       ///< the current step's tokens come after every earlier one
  bool by_layer = false;        ///< all heads of a layer keep the same tokens
  TieRule ties = TieRule::kTorchTopK;
};

/// The query projection alone (no bias, norm, learned scale or rotation) of the given tokens of the
/// step: [rows, query heads, tokens, head_dim].
at::Tensor raw_queries(const LayerStep& layer_step, const std::vector<int64_t>& tokens) {
  const at::Tensor& weight = layer_step.query_weight;
  const at::Tensor index = at::tensor(tokens, at::kLong).to(layer_step.hidden.device());
  const at::Tensor rows = layer_step.hidden.index_select(1, index);
  const at::Tensor hidden = rows.to(at::promote_types(rows.scalar_type(), weight.scalar_type()));
  return linear_layer(hidden, weight)
      .view({hidden.size(0), hidden.size(1), layer_step.q.size(1), layer_step.k.size(3)})
      .transpose(1, 2);
}

std::vector<int64_t> first_numbers(int64_t count) {
  std::vector<int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

/// ScaleKV's score (arXiv:2505.19602, section 3.4): what a window W of queries, the centroids of N
/// patches of the current scale, pay to each token j of a head (those of all query heads of its
/// group),
///   paper     s_j = avgpool( sum over i in W of softmax_j(q_i . k_j / sqrt(head_dim)) ),
///   released  s_j = maxpool( sum over i in W of raw_i . k_j / sqrt(head_dim) ),
/// where released code takes the bare projection for q, no softmax, and leaves W's own tokens out
/// of the pool. Each of these differences is an option of its own.
///
/// A step of a next-token model is a single token, without patches: there W is the last N
/// tokens, whose queries are remembered. A key later than a query lends that query nothing.
class CentroidWindow : public Score {
 public:
  explicit CentroidWindow(const Choices& choices) : choices_(choices), recent_(choices.window) {}

  [[nodiscard]] TieRule ties() const override { return choices_.ties; }

  void begin_generation(int64_t /*rows*/) override { recent_.begin_generation(); }

  void observe(const LayerStep& layer_step) override {
    if (layer_step.step.kind == StepKind::kScale) return;
    if (!choices_.raw_query) {
      recent_.observe(layer_step);
      return;
    }
    const at::Tensor queries = raw_queries(layer_step, first_numbers(layer_step.step.queries()));
    recent_.observe(with_queries(layer_step, queries));
  }

  [[nodiscard]] std::vector<int64_t> window(const StepInfo& step, int64_t most) const override {
    const int64_t tokens = fitting_square_window(choices_.window, most);
    if (step.kind != StepKind::kScale) return recent_window(step, tokens);
    return choices_.square_1m ? square_1m_window(step, tokens, choices_.centre)
                              : centroid_window(step, tokens, choices_.centre);
  }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const std::vector<int64_t> positions = window(layer_step.step, tightest_count(layer_step));
    const at::Tensor in_window = positions_mask(layer_step, positions);
    const at::Tensor absent = absent_mask(layer_step);
    const at::Tensor sums = sums_over_queries(layer_step, positions);
    // What lends its neighbours nothing: the maximum skips -infinity, the average adds 0.
    const double nothing = choices_.pool == PoolKind::kMaximum ? kNothing : 0.0;
    const at::Tensor silent = choices_.window_in_pool ? absent : absent.logical_or(in_window);
    at::Tensor scores =
        pool_tokens(sums.masked_fill(silent, nothing), choices_.pool, choices_.kernel);
    if (!choices_.window_in_pool) scores = at::where(in_window, sums, scores);
    if (choices_.past_only) scores = behind_the_past(layer_step, scores, absent);
    return choices_.by_layer ? same_in_all_heads(layer_step, scores) : scores;
  }

 private:
  /// The step as if attention had used `queries` / sqrt(head_dim).
  [[nodiscard]] static LayerStep with_queries(const LayerStep& layer_step,
                                              const at::Tensor& queries) {
    LayerStep step = layer_step;
    step.q = queries;
    step.softmax_scale = 1.0 / std::sqrt(static_cast<double>(layer_step.k.size(3)));
    return step;
  }

  /// [rows, heads, group * window, tokens] logits, -infinity where a query does not see a key.
  [[nodiscard]] at::Tensor logits(const LayerStep& layer_step,
                                  const std::vector<int64_t>& positions) const {
    const auto taken = static_cast<int64_t>(positions.size());
    if (layer_step.step.kind != StepKind::kScale) {
      return choices_.raw_query ? recent_.logits(with_queries(layer_step, layer_step.q), taken)
                                : recent_.logits(layer_step, taken);
    }
    const std::vector<int64_t> tokens = in_step(layer_step.step, positions);
    const RaggedRows history = layer_step.cache->history(layer_step.layer);
    at::Tensor packed;
    if (choices_.raw_query) {
      const at::Tensor queries = raw_queries(layer_step, tokens);
      // Rounded to the queries' type, as under autocast.
      packed = score_rows(queries, history, layer_step.k, 1.0, first_numbers(taken))
                   .to(queries.scalar_type())
                   .div(std::sqrt(static_cast<double>(layer_step.k.size(3))));
    } else {
      packed = score_rows(layer_step.q, history, layer_step.k, layer_step.softmax_scale, tokens);
    }
    fill_padding(packed, layer_step, layer_step.group() * taken, kNothing);
    return unpacked_rows(layer_step, packed, layer_step.group() * taken, kNothing);
  }

  /// [rows, heads, tokens] fp32.
  [[nodiscard]] at::Tensor sums_over_queries(const LayerStep& layer_step,
                                             const std::vector<int64_t>& positions) const {
    at::Tensor values = logits(layer_step, positions);
    if (choices_.softmax) {
      values = softmax_or_zero(values.to(at::kFloat));
    } else if (layer_step.step.kind != StepKind::kScale) {
      values = values.masked_fill(values == kNothing, 0.0);
    }
    return values.sum(2, false, at::kFloat);
  }

  /// Moves the current step's scores below all earlier ones, their order kept.
  [[nodiscard]] static at::Tensor behind_the_past(const LayerStep& layer_step,
                                                  const at::Tensor& scores,
                                                  const at::Tensor& absent) {
    const StepInfo& step = layer_step.step;
    const at::Tensor current = positions_mask(layer_step, trailing_window(step, step.queries()));
    const at::Tensor range = scores.masked_fill(absent, kNothing).amax(-1, true) -
                             scores.masked_fill(absent, -kNothing).amin(-1, true);
    return at::where(current, scores - 2.0 * range, scores);
  }

  /// The mean over heads in all of them; a sum in double does not depend on their order.
  [[nodiscard]] static at::Tensor same_in_all_heads(const LayerStep& layer_step,
                                                    const at::Tensor& scores) {
    const KvCache& cache = *layer_step.cache;
    for (int64_t row = 0; row < scores.size(0); ++row) {
      for (int64_t head = 1; head < scores.size(1); ++head) {
        if (cache.length(layer_step.layer, row, head) != cache.length(layer_step.layer, row, 0)) {
          throw Error(ErrorKind::kConfig,
                      fmt::format("policy.score.granularity=layer: the heads of layer {} hold {} "
                                  "and {} tokens; expected an allocate part that gives all heads "
                                  "of a layer the same number, or granularity=head",
                                  layer_step.layer, cache.length(layer_step.layer, row, 0),
                                  cache.length(layer_step.layer, row, head)));
        }
      }
    }
    return scores.to(at::kDouble).mean(1, true).to(at::kFloat).expand(scores.sizes());
  }

  Choices choices_;
  RecentQueries recent_;
};

PatchCentre patch_centre(const std::string& word) {
  if (word == "lower_right") return PatchCentre::kLowerRight;
  return word == "spread" ? PatchCentre::kSpread : PatchCentre::kUpperLeft;
}

}  // namespace

std::unique_ptr<Score> make_score_centroid_window(Options& options) {
  Choices choices;
  choices.window = options.integer(
      {.key = "window",
       .default_value = 16,
       .min = 1,
       .unit = "tokens",
       .help = "observation tokens, patches of a scale; a square number for a grid of patches"});
  choices.centre = patch_centre(options.word(
      {.key = "centre",
       .default_value = "upper_left",
       .allowed = {"upper_left", "lower_right", "spread"},
       .help =
           "which token is the centre of a patch; spread: centroids of patches of equal size"}));
  choices.square_1m =
      options.word({.key = "grid",
                    .default_value = "step",
                    .allowed = {"step", "square_1m"},
                    .help = "over which grid the patches lie: the scale's own, or the square one "
                            "that the released code assumes whatever the image's shape (the same "
                            "on square images)"}) == "square_1m";
  choices.raw_query =
      options.word({.key = "query",
                    .default_value = "raw",
                    .allowed = {"raw", "used"},
                    .help = "the bare projection, or the query of the model's attention"}) == "raw";
  choices.softmax = options.word({.key = "softmax",
                                  .default_value = "none",
                                  .allowed = {"none", "all"},
                                  .help = "none: logits; all: attention weights"}) == "all";
  choices.pool = options.word({.key = "pool",
                               .default_value = "maximum",
                               .allowed = {"maximum", "average"},
                               .help = "over neighbouring tokens"}) == "maximum"
                     ? PoolKind::kMaximum
                     : PoolKind::kAverage;
  choices.kernel = pool_kernel(options, 5);
  choices.window_in_pool =
      options.word({.key = "pooled_window",
                    .default_value = "ignored",
                    .allowed = {"ignored", "counted"},
                    .help = "whether the window's own tokens take part in the pool"}) == "counted";
  choices.past_only =
      options.word(
          {.key = "candidates",
           .default_value = "all",
           .allowed = {"all", "past"},
           .help = "past prefers any earlier scale's token to those of the current one"}) == "past";
  choices.by_layer =
      options.word({.key = "granularity",
                    .default_value = "head",
                    .allowed = {"head", "layer"},
                    .help = "whether heads of a layer choose their own tokens"}) == "layer";
  choices.ties =
      options.word({.key = "ties",
                    .default_value = "torch_topk",
                    .allowed = {"torch_topk", "lower_index"},
                    .help = "which of equal scores stays; released: torch_topk"}) == "torch_topk"
          ? TieRule::kTorchTopK
          : TieRule::kEarlier;
  return std::make_unique<CentroidWindow>(choices);
}

}  // namespace kvscope
