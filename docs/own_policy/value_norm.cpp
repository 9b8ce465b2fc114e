// A policy component of one's own: keep the tokens whose values are the largest. See own_policy.md.
#include <ATen/ATen.h>

#include "policies/plugin.h"

namespace {

using kvscope::LayerStep;
using kvscope::Options;
using kvscope::Score;

/// Importance = the p-norm of a token's value: what it can add to the output if it is attended to.
class ValueNorm : public Score {
 public:
  explicit ValueNorm(double power) : power_(power) {}

  /// [rows, heads, tokens] of [history | current step]; the tail of shorter heads is not read.
  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const int64_t rows = layer_step.v.size(0);
    const int64_t heads = layer_step.v.size(1);
    const at::Tensor current = at::norm(layer_step.v.to(at::kFloat), power_, {3});
    at::Tensor scores = at::zeros({rows, heads, max_tokens(layer_step)}, current.options());
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t head = 0; head < heads; ++head) {
        const at::Tensor held = layer_step.cache->values(layer_step.layer, row, head);
        const int64_t tokens = held.size(0);
        const at::Tensor line = scores[row][head];
        line.slice(0, 0, tokens).copy_(at::norm(held.to(at::kFloat), power_, {1}));
        line.slice(0, tokens, tokens + current.size(2)).copy_(current[row][head]);
      }
    }
    return scores;
  }

 private:
  double power_;
};

std::unique_ptr<Score> make_value_norm(Options& options) {
  return std::make_unique<ValueNorm>(options.number(
      {.key = "power", .default_value = 2, .min = 1, .max = 16, .help = "p of the norm"}));
}

}  // namespace

KVSCOPE_PLUGIN(registry) {
  registry.add({.name = "value_norm", .summary = "the tokens of the largest values"},
               make_value_norm);
}
