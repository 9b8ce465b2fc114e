#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "policies/component.h"
#include "policies/signals/expected_scores.h"
#include "policies/signals/token_rows.h"

namespace kvscope {
namespace {

struct Settings {
  int64_t future;   // positions the rotation is averaged over
  int64_t queries;  // remembered; 0: all, as moments
  int64_t sinks;
  ExpectedForm form;
};

/// ExpectedAttention as a decoding method: moments of the queries so far, turned to where the next
/// ones will stand (a line in Janus, the remaining positions of the image where rotation is 2-D, no
/// rotation in VAR), say what attention each key can expect. Before any query counts, the norms of
/// the values decide.
class ExpectedAttention : public Score {
 public:
  explicit ExpectedAttention(Settings settings) : settings_(settings) {}

  void begin_generation(int64_t /*rows*/) override { layers_.clear(); }

  void observe(const LayerStep& layer_step) override {
    layers_.resize(std::max(layers_.size(), static_cast<std::size_t>(layer_step.layer) + 1));
    Layer& layer = layers_[static_cast<std::size_t>(layer_step.layer)];
    const PlainQueries now = plain_queries(layer_step, settings_.sinks);
    if (settings_.queries == 0) {
      const QueryMoments moments = query_moments(now.queries, now.weight);
      layer.moments = layer.moments ? merged(*layer.moments, moments) : moments;
      return;
    }
    const auto newest = [&](const at::Tensor& before, const at::Tensor& added, int64_t dim) {
      const at::Tensor all = before.defined() ? at::cat({before, added}, dim) : added;
      const int64_t count = std::min(all.size(dim), settings_.queries);
      return all.narrow(dim, all.size(dim) - count, count).contiguous();
    };
    layer.recent.queries = newest(layer.recent.queries, now.queries, 2);
    layer.recent.weight = newest(layer.recent.weight, now.weight, 1);
  }

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    QueryMoments future = moments_of(layer_step);
    if (const auto rotation = mean_future_rotation(layer_step, settings_.future)) {
      future = turned(future, *rotation);
    }
    const at::Tensor sinks = first_tokens(layer_step, settings_.sinks);
    ExpectedForm form = settings_.form;
    form.softmax_scale = layer_step.softmax_scale;
    const at::Tensor scores =
        expected_scores(future, key_rows(layer_step), value_rows(layer_step),
                        visible_tokens(layer_step).logical_and(sinks.logical_not()), form);
    // Sinks stay, as in kvpress; there with the largest score of the batch, here of the head.
    return at::where(sinks, scores.amax(-1, true) + 1, scores);
  }

 private:
  struct Layer {
    std::optional<QueryMoments> moments;  // of all queries
    PlainQueries recent;                  // or the newest ones
  };

  [[nodiscard]] QueryMoments moments_of(const LayerStep& layer_step) const {
    const auto at = static_cast<std::size_t>(layer_step.layer);
    if (at >= layers_.size() || (settings_.queries == 0 && !layers_[at].moments)) {
      throw Error(ErrorKind::kAudit,
                  "expected_attention: asked for the scores of a layer whose "
                  "queries it has not observed");
    }
    const Layer& layer = layers_[at];
    return settings_.queries == 0 ? *layer.moments
                                  : query_moments(layer.recent.queries, layer.recent.weight);
  }

  Settings settings_;
  std::vector<Layer> layers_;
};

}  // namespace

std::unique_ptr<Score> make_score_expected_attention(Options& options) {
  const auto used = [&](const std::string& key, const std::string& help) {
    return options.word(
               {.key = key, .default_value = "use", .allowed = {"use", "ignore"}, .help = help}) ==
           "use";
  };
  constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
  const Settings settings{
      .future = options
                    .integer_or_word({.key = "n_future",
                                      .default_value = 512,
                                      .min = 1,
                                      .unit = "positions",
                                      .help = "next queries whose rotations are averaged, at most "
                                              "to the end of the image; remaining: all of them"},
                                     "remaining")
                    .value_or(kAll),
      .queries = options
                     .integer_or_word(
                         {.key = "queries",
                          .min = 1,
                          .help = "how many of the newest queries mean and covariance are of"},
                         "all")
                     .value_or(0),
      .sinks = options.integer({.key = "sinks",
                                .default_value = 4,
                                .min = 0,
                                .unit = "tokens",
                                .help = "first tokens that stay and are left out of moments and "
                                        "softmax (give protect sinks the same number)"}),
      .form = {.softmax_scale = 1,
               .use_covariance = used("covariance", "whether the covariance of the queries counts"),
               .use_vnorm = used("value_norm", "whether scores count times the norm of the value"),
               .epsilon = options.number({.key = "epsilon",
                                          .default_value = 0.0,
                                          .min = 0,
                                          .max = 1,
                                          .help = "added to the expected attention before it is "
                                                  "multiplied by the norm of the value"})}};
  return std::make_unique<ExpectedAttention>(settings);
}

}  // namespace kvscope
