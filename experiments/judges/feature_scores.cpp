#include "experiments/judges/feature_scores.h"

#include <ATen/ops/from_blob.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace kvscope {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixView = Eigen::Map<const Matrix>;

MatrixView view_of(const FeatureRows& features) {
  return {features.values.data(), features.rows, features.columns};
}

/// |a_i|^2 + |b_j|^2 - 2 a_i b_j, not below 0.
Matrix squared_distances(const MatrixView& a, const MatrixView& b) {
  Matrix distances = -2 * (a * b.transpose());
  distances.colwise() += a.rowwise().squaredNorm();
  distances.rowwise() += b.rowwise().squaredNorm().transpose();
  return distances.cwiseMax(0);
}

/// Squared, per row.
Eigen::VectorXd ball_radii(const MatrixView& rows) {
  constexpr Eigen::Index kNeighbour = 3;
  Matrix distances = squared_distances(rows, rows);
  Eigen::VectorXd radii(rows.rows());
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    distances(i, i) = 0;  // itself, exactly
    auto row = distances.row(i);
    const Eigen::Index place = std::min<Eigen::Index>(kNeighbour, rows.rows() - 1);
    std::nth_element(row.data(), row.data() + place, row.data() + row.size());
    radii(i) = row(place);
  }
  return radii;
}

double share_inside(const MatrixView& rows, const MatrixView& centres) {
  const Eigen::VectorXd radii = ball_radii(centres);
  const Matrix distances = squared_distances(rows, centres);
  int64_t inside = 0;
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    if ((distances.row(i).transpose().array() <= radii.array()).any()) ++inside;
  }
  return static_cast<double>(inside) / static_cast<double>(rows.rows());
}

}  // namespace

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

at::Tensor tensor_of(const FeatureRows& features) {
  // from_blob takes a pointer to what may be changed; nobody does.
  return at::from_blob(const_cast<double*>(features.values.data()),
                       {features.rows, features.columns}, at::kDouble);
}

PrecisionRecall precision_recall(const FeatureRows& reference, const FeatureRows& samples) {
  const MatrixView reference_rows = view_of(reference);
  const MatrixView sample_rows = view_of(samples);
  return {.precision = share_inside(sample_rows, reference_rows),
          .recall = share_inside(reference_rows, sample_rows)};
}

double inception_score(const FeatureRows& logits, int64_t split) {
  const MatrixView rows = view_of(logits);
  double sum = 0;
  int64_t parts = 0;
  for (int64_t begin = 0; begin < logits.rows; begin += split) {
    const int64_t count = std::min(split, logits.rows - begin);
    Matrix shares = rows.middleRows(begin, count);
    shares.colwise() -= shares.rowwise().maxCoeff().eval();
    shares = shares.array().exp();
    shares.array().colwise() /= shares.rowwise().sum().array().eval();
    const Eigen::RowVectorXd mean = shares.colwise().mean();
    double divergence = 0;
    for (Eigen::Index i = 0; i < count; ++i) {
      for (Eigen::Index j = 0; j < shares.cols(); ++j) {
        const double share = shares(i, j);
        if (share > 0) divergence += share * (std::log(share) - std::log(mean(j)));
      }
    }
    sum += std::exp(divergence / static_cast<double>(count));
    ++parts;
  }
  return sum / static_cast<double>(parts);
}

}  // namespace kvscope
