#include "core/engine/step_counts.h"

namespace kvscope {

StepCounts::StepCounts(std::initializer_list<LayerHeadTokens> steps) {
  for (const LayerHeadTokens& counts : steps) push_back(counts);
}

StepCounts::StepCounts(const std::vector<LayerHeadTokens>& steps) {
  for (const LayerHeadTokens& counts : steps) push_back(counts);
}

void StepCounts::push_back(const LayerHeadTokens& counts) {
  if (different_.empty() || different_.back() != counts) different_.push_back(counts);
  places_.push_back(static_cast<uint32_t>(different_.size() - 1));
}

const LayerHeadTokens& StepCounts::at(int64_t step) const {
  return different_[places_.at(static_cast<size_t>(step))];
}

}  // namespace kvscope
