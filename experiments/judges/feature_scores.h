#pragma once

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

/// A Gaussian of features: mean [columns], covariance [columns, columns] with rows - 1.
struct FeatureStatistics {
  int64_t columns = 0;
  std::vector<double> mean{};
  std::vector<double> covariance{};
};

FeatureStatistics statistics_of(const FeatureRows& features);

/// Frechet distance of two Gaussians, |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), the trace of
/// the root by the eigenvalues of C1^(1/2) C2 C1^(1/2). Both have the same columns.
double frechet_distance(const FeatureStatistics& a, const FeatureStatistics& b);

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
