#include "policies/part.h"
#include "policies/score/key_scores.h"
#include "policies/score/token_rows.h"

namespace kvscope {
namespace {

/// -|k| of every cached key: see key_norm_scores().
class KeyNorm : public Score {
 public:
  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    return key_norm_scores(key_rows(layer_step));
  }
};

}  // namespace

/// No options. KVCache-Factory leaves the first two layers uncut: allocate uncut_layers.
std::unique_ptr<Score> make_score_key_norm(PartOptions& /*options*/) {
  return std::make_unique<KeyNorm>();
}

}  // namespace kvscope
