#include "policies/part.h"
#include "policies/signals/token_rows.h"

namespace kvscope {
namespace {

/// Importance = position: the newest tokens stay (sliding window).
class Recency : public Score {
 public:
  explicit Recency(KeyPositions key_positions) : key_positions_(key_positions) {}

  [[nodiscard]] KeyPositions key_positions() const override { return key_positions_; }

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    return token_positions(layer_step);
  }

 private:
  KeyPositions key_positions_;
};

}  // namespace

std::unique_ptr<Score> make_score_recency(Options& options) {
  const bool rerotate =
      options.word({.key = "rotation",
                    .default_value = "keep",
                    .allowed = {"keep", "rerotate"},
                    .help = "keep: keys stand where they stood when they were made; rerotate, as "
                            "published (arXiv:2309.17453): turned at each use to 0, 1, 2, ... "
                            "along the cache, with the query behind them; only for models with 1-D "
                            "RoPE (Janus), others refuse to generate"}) == "rerotate";
  return std::make_unique<Recency>(rerotate ? KeyPositions::kInCache : KeyPositions::kOriginal);
}

}  // namespace kvscope
