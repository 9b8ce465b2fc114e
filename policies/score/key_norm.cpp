#include <ATen/ATen.h>

#include "policies/component.h"
#include "policies/signals/key_scores.h"
#include "policies/signals/token_rows.h"

namespace kvscope {
namespace {

/// fp32 rounded to 13 explicit bits of the mantissa.
at::Tensor rounded(const at::Tensor& scores) {
  constexpr int32_t kDropped = 1 << 10;
  return scores.contiguous()
      .view(at::kInt)
      .add(kDropped / 2)
      .bitwise_and(~(kDropped - 1))
      .view(at::kFloat);
}

/// -|k| of every cached key: see key_norm_scores(). A token that occurs again (a code of the
/// image, padding in an unconditional prompt) has the same norm in the first layer wherever it
/// stands; so norms within 6e-5 of each other count as equal, lest the last bit decide, which
/// depends on the batch.
class KeyNorm : public Score {
 public:
  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    return rounded(key_norm_scores(key_rows(layer_step)));
  }
};

}  // namespace

/// No options. KVCache-Factory leaves the first two layers uncut: allocate uncut_layers.
std::unique_ptr<Score> make_score_key_norm(Options& /*options*/) {
  return std::make_unique<KeyNorm>();
}

}  // namespace kvscope
