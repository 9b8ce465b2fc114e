#include "core/models/next_token/positions.h"

#include <ATen/ATen.h>

namespace kvscope::next_token {

Positions::Positions(const NextTokenModel& model, const Condition& condition)
    : table_(model.rotation) {
  const bool shifted = model.rotation.skips_padding && !condition.padding.empty();
  offsets_ = shifted ? at::tensor(condition.padding, at::kLong).unsqueeze(1)
                     : at::zeros({1, 1}, at::kLong);
  offsets_ = offsets_.to(table_.cosine.device());
}

Rotation Positions::rotation(int64_t first, int64_t count) const {
  const at::Tensor indices = at::arange(first, first + count, offsets_.options()).unsqueeze(0);
  // What padding itself is turned by does not matter, as nobody sees it.
  return at_positions(table_, (indices - offsets_).clamp_min(0));
}

}  // namespace kvscope::next_token
