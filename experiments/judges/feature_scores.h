#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace kvscope {

/// Rows of features, [rows, columns], row-major.
struct FeatureRows {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<double> values{};
};

/// Whether none of them is infinite or not a number.
bool all_finite(std::span<const double> values);

/// A view of them, [rows, columns] f64, which must not outlive them.
at::Tensor tensor_of(const FeatureRows& features);

/// Kynkaanniemi et al., arXiv 1904.06991, as guided-diffusion's evaluator has it: precision is the
/// share of `samples` inside the ball of any reference row, recall the reverse; a ball's radius is
/// the distance to the third nearest other row. O(rows^2 columns).
struct PrecisionRecall {
  double precision = 0;
  double recall = 0;
};
PrecisionRecall precision_recall(const FeatureRows& reference, const FeatureRows& samples);

/// Inception score: exp of the mean divergence of p(class | row), the softmax of `logits`, from its
/// mean over a part of `split` consecutive rows, averaged over the parts, the last of which may be
/// short. Rows in file order: the score of sorted files is too low.
double inception_score(const FeatureRows& logits, int64_t split);

}  // namespace kvscope
