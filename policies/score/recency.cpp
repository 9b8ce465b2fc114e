#include <ATen/ATen.h>

#include <algorithm>

#include "policies/part.h"

namespace kvscope {
namespace {

/// Importance = position: the newest tokens stay (sliding window). The cache holds tokens in the
/// order of their positions, so the index in [history | current] ranks them.
class Recency : public Score {
 public:
  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const int64_t rows = layer_step.k.size(0);
    const int64_t heads = layer_step.k.size(1);
    const int64_t tokens = most_tokens(layer_step);
    return at::arange(tokens, at::kFloat).expand({rows, heads, tokens});
  }
};

}  // namespace

std::unique_ptr<Score> make_score_recency(PartOptions& /*options*/) {
  return std::make_unique<Recency>();
}

}  // namespace kvscope
