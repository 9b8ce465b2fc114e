#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "policies/part.h"
#include "policies/score/expected_scores.h"
#include "policies/score/token_rows.h"

namespace kvscope {
namespace {

struct Settings {
  int64_t future;   // positions the rotation is averaged over
  int64_t queries;  // remembered; 0: all, as moments
  int64_t sinks;
  ExpectedForm form;
};

/// ExpectedAttention as a decoding method: moments of the queries so far, turned to where the next
/// ones will stand (a line in Janus, the remaining places of the picture where rotation is 2-D, no
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

/// A number of at least 1, or the word for no limit.
int64_t count_or(PartOptions& options,
                 const std::string& key,
                 const std::string& unlimited,
                 int64_t standard,
                 int64_t if_unlimited) {
  const ConfigNode* given = options.value(key);
  const bool word = given != nullptr && given->is_string();
  if (word && options.word(key, unlimited, {unlimited}) == unlimited) return if_unlimited;
  return given == nullptr ? standard : options.integer(key, 1, 1);
}

}  // namespace

/// n_future (512): next queries whose rotations are averaged, up to the end of the image; or
/// remaining, all of them. queries (all): all | how many of the newest queries the moments are of.
/// sinks (4): first tokens that stay and are left out of moments and softmax (give protect sinks
/// the same number). covariance (use), value_norm (use): use | ignore. epsilon (0): added to the
/// expected attention before it is multiplied by the norm of the value, 0 to 1.
std::unique_ptr<Score> make_score_expected_attention(PartOptions& options) {
  const auto used = [&](const std::string& key) {
    return options.word(key, "use", {"use", "ignore"}) == "use";
  };
  const Settings settings{.future = count_or(options, "n_future", "remaining", 512,
                                             std::numeric_limits<int64_t>::max()),
                          .queries = count_or(options, "queries", "all", 0, 0),
                          .sinks = options.integer("sinks", 4, 0),
                          .form = {.softmax_scale = 1,
                                   .use_covariance = used("covariance"),
                                   .use_vnorm = used("value_norm"),
                                   .epsilon = options.number("epsilon", 0.0, 0.0, 1.0)}};
  return std::make_unique<ExpectedAttention>(settings);
}

}  // namespace kvscope
