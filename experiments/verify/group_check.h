#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "experiments/verify/verify.h"

namespace kvscope::verify {

/// Largest absolute difference that rounding in another order explains, in fp32 at these sizes.
inline constexpr double kTolerance = 1e-4;

/// Logits are compared within kTolerance or this share of the largest recorded one, whichever is
/// more. Guidance and temperature multiply rounding errors by (|cfg| + |1 - cfg|) / tau, so that
/// two correct fp32 programs differ by more than kTolerance in logits of tens: of infinity_tiny,
/// the recorded logits are 1.07e-4 from a recomputation in fp64.
inline constexpr double kLogitShare = 1e-5;

/// Collects the tensors of one group into its verdict.
class GroupCheck {
 public:
  /// `share` > 0 widens the tolerance to this share of the largest recorded value.
  explicit GroupCheck(std::string group, double tolerance = kTolerance, double share = 0);

  /// Both of one shape, each on any device. Integers are compared exactly, other types in fp64.
  /// NaN, or an infinity that is not the same on both sides, differs by infinity.
  void compare(const at::Tensor& computed, const at::Tensor& recorded, const std::string& name);
  /// What the file records and this build does not have, or the other way round.
  void mismatch(const std::string& what);

  [[nodiscard]] int64_t compared() const { return tensors_; }
  /// The verdict; `remark` goes behind the note.
  [[nodiscard]] GroupResult result(const std::string& remark = "") const;

 private:
  std::string group_;
  double tolerance_;
  double share_;
  double largest_recorded_ = 0;
  double largest_ = 0;
  int64_t tensors_ = 0;
  int64_t values_ = 0;
  int64_t differing_ = 0;  // exact groups
  std::string worst_;
  std::string mismatch_;
};

/// The verdict on an optional group that the file cannot tell: "not in the file: WHAT".
GroupResult not_in_file(std::string group, const std::string& what);

}  // namespace kvscope::verify
