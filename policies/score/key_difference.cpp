#include "policies/component.h"
#include "policies/signals/key_scores.h"
#include "policies/signals/token_rows.h"

namespace kvscope {
namespace {

/// -cos(k, mean direction of all keys that are held): see key_difference_scores(). What came since
/// the last eviction is the paper's block.
class KeyDifference : public Score {
 public:
  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    return key_difference_scores(key_rows(layer_step), visible_tokens(layer_step));
  }
};

}  // namespace

/// No options; the schedule is the block size.
std::unique_ptr<Score> make_score_key_difference(Options& /*options*/) {
  return std::make_unique<KeyDifference>();
}

}  // namespace kvscope
