#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/models/next_token/generate.h"

namespace kvscope::next_token {

/// Where the tokens of a batch stand in the model's rotation table.
class Positions {
 public:
  Positions(const NextTokenModel& model, const Condition& condition);
  /// Rotation of tokens `first` .. first + count - 1 of every row: one row for all where they stand
  /// at the same positions.
  [[nodiscard]] Rotation rotation(int64_t first, int64_t count) const;

 private:
  RotationTable table_;
  at::Tensor offsets_;  // [rows, 1] int64, subtracted from a token's index; [1, 1] where all are 0
};

}  // namespace kvscope::next_token
