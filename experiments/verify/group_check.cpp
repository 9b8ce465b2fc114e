#include "experiments/verify/group_check.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace kvscope::verify {
namespace {

double largest_absolute(const at::Tensor& computed, const at::Tensor& recorded) {
  const at::Tensor a = computed.to(at::kDouble);
  const at::Tensor b = recorded.to(at::kDouble);
  // Equal infinities differ by nothing; their difference would be NaN.
  const at::Tensor difference = at::where(a == b, at::zeros_like(a), (a - b).abs());
  const double largest = difference.max().item<double>();
  return std::isnan(largest) ? std::numeric_limits<double>::infinity() : largest;
}

}  // namespace

GroupCheck::GroupCheck(std::string group, double tolerance, double share)
    : group_(std::move(group)), tolerance_(tolerance), share_(share) {}

void GroupCheck::compare(const at::Tensor& computed_anywhere,
                         const at::Tensor& recorded_anywhere,
                         const std::string& name) {
  const at::Tensor computed = computed_anywhere.cpu();
  const at::Tensor recorded = recorded_anywhere.cpu();
  ++tensors_;
  values_ += recorded.numel();
  if (computed.sizes() != recorded.sizes()) {
    mismatch(
        fmt::format("'{}' has {} values, this build {}", name, recorded.numel(), computed.numel()));
    return;
  }
  if (recorded.numel() == 0) return;
  const double largest = largest_absolute(computed, recorded);
  const double magnitude = recorded.to(at::kDouble).abs().max().item<double>();
  if (std::isfinite(magnitude)) largest_recorded_ = std::max(largest_recorded_, magnitude);
  if (tolerance_ == 0) differing_ += (computed != recorded).sum().item<int64_t>();
  if (worst_.empty() || largest > largest_) worst_ = name;
  largest_ = std::max(largest_, largest);
}

void GroupCheck::mismatch(const std::string& what) {
  largest_ = std::numeric_limits<double>::infinity();
  if (mismatch_.empty()) mismatch_ = what;
}

GroupResult GroupCheck::result(const std::string& remark) const {
  const double tolerance = std::max(tolerance_, share_ * largest_recorded_);
  GroupResult result{
      .group = group_,
      .largest_difference = largest_,
      .tolerance = tolerance,
      .ok = largest_ <= tolerance,
      .note = fmt::format("{} tensor{}, {} values", tensors_, tensors_ == 1 ? "" : "s", values_)};
  if (differing_ > 0) result.note += fmt::format(", {} differ", differing_);
  if (largest_ > 0 && !worst_.empty()) result.note += fmt::format(", most in {}", worst_);
  if (!mismatch_.empty()) result.note += "; " + mismatch_;
  if (!remark.empty()) result.note += "; " + remark;
  return result;
}

GroupResult not_in_file(std::string group, const std::string& what) {
  return {
      .group = std::move(group), .ok = true, .note = "not in the file: " + what, .compared = false};
}

}  // namespace kvscope::verify
