#include "policies/component.h"
#include "policies/signals/token_rows.h"

namespace kvscope {
namespace {

/// Importance = position: the newest tokens stay (sliding window).
class Recency : public Score {
 public:
  [[nodiscard]] bool order_free() const override { return true; }
  [[nodiscard]] bool keeps_newest() const override { return true; }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    return token_positions(layer_step);
  }
};

}  // namespace

std::unique_ptr<Score> make_score_recency(Options& /*options*/) {
  return std::make_unique<Recency>();
}

}  // namespace kvscope
