#include <ATen/ATen.h>

#include "policies/component.h"
#include "policies/signals/random_scores.h"

namespace kvscope {
namespace {

/// A number for every (layer, head, token) that has nothing to do with the token: what any score
/// must beat. The rows of a guidance pair, and all images, draw the same numbers.
class Random : public Score {
 public:
  Random(uint64_t seed, bool separate_rows, bool redraw)
      : seed_(seed), separate_rows_(separate_rows), redraw_(redraw) {}

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const KvCache& cache = *layer_step.cache;
    const int64_t tokens = max_tokens(layer_step);
    at::Tensor scores = at::zeros({cache.rows(), layer_step.k.size(1), tokens}, at::kFloat);
    float* line = scores.mutable_data_ptr<float>();
    for (int64_t row = 0; row < cache.rows(); ++row) {
      const uint64_t row_seed = separate_rows_ ? layer_step.row_seed(row) : 0;
      for (int64_t head = 0; head < layer_step.k.size(1); ++head, line += tokens) {
        float* next = line;
        for (const int64_t position : positions_of(layer_step, row, head)) {
          *next++ = random_score({.seed = seed_,
                                  .row = row_seed,
                                  .layer = layer_step.layer,
                                  .head = head,
                                  .position = position - cache.padding(row),
                                  .draw = redraw_ ? layer_step.step.index : 0});
        }
      }
    }
    return scores;
  }

 private:
  uint64_t seed_;
  bool separate_rows_;
  bool redraw_;
};

}  // namespace

std::unique_ptr<Score> make_score_random(Options& options) {
  const int64_t seed =
      options.integer({.key = "seed", .default_value = 0, .min = 0, .help = "other numbers"});
  const bool separate =
      options.word({.key = "rows",
                    .default_value = "separate",
                    .allowed = {"separate", "alike"},
                    .help = "separate: every image, and each of its two rows under guidance, has "
                            "numbers of its own; alike: all have the same"}) == "separate";
  const bool redraw =
      options.word(
          {.key = "redraw",
           .default_value = "never",
           .allowed = {"never", "each_step"},
           .help = "never: what stays is a uniform sample of all tokens so far; "
                   "each_step: new numbers at every eviction, so that old tokens have survived "
                   "many draws and the newest prevail"}) == "each_step";
  return std::make_unique<Random>(static_cast<uint64_t>(seed), separate, redraw);
}

}  // namespace kvscope
