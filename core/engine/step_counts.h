#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "core/engine/layer_head_tokens.h"

namespace kvscope {

/// Tokens of every (layer, head) after every step. Steps that change nothing share the counts of
/// the step before: once a token-wise model has reached its budget, all of its hundreds of steps
/// leave the same.
class StepCounts {
 public:
  StepCounts() = default;
  StepCounts(std::initializer_list<LayerHeadTokens> steps);
  StepCounts(const std::vector<LayerHeadTokens>& steps);  // NOLINT: the same counts

  void push_back(const LayerHeadTokens& counts);

  [[nodiscard]] size_t size() const { return places_.size(); }
  /// `step` is not checked.
  const LayerHeadTokens& operator[](size_t step) const { return different_[places_[step]]; }
  /// The same; throws std::out_of_range.
  [[nodiscard]] const LayerHeadTokens& at(int64_t step) const;
  /// Whether a step leaves exactly what the one before it left.
  [[nodiscard]] bool repeats(size_t step) const {
    return step > 0 && places_[step] == places_[step - 1];
  }

 private:
  std::vector<LayerHeadTokens> different_;
  std::vector<uint32_t> places_;  // [steps] in different_
};

}  // namespace kvscope
