#include "experiments/judges/feature_scores.h"

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

MatrixView covariance_of(const FeatureStatistics& statistics) {
  return {statistics.covariance.data(), statistics.columns, statistics.columns};
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

FeatureStatistics statistics_of(const FeatureRows& features) {
  const MatrixView rows = view_of(features);
  const Eigen::RowVectorXd mean = rows.colwise().mean();
  const Matrix centred = rows.rowwise() - mean;
  const Matrix covariance =
      centred.transpose() * centred / static_cast<double>(std::max<int64_t>(features.rows - 1, 1));
  return {.columns = features.columns,
          .mean = {mean.data(), mean.data() + mean.size()},
          .covariance = {covariance.data(), covariance.data() + covariance.size()}};
}

double frechet_distance(const FeatureStatistics& a, const FeatureStatistics& b) {
  const Eigen::Map<const Eigen::VectorXd> mean_a(a.mean.data(), a.columns);
  const Eigen::Map<const Eigen::VectorXd> mean_b(b.mean.data(), b.columns);
  const MatrixView covariance_a = covariance_of(a);
  const MatrixView covariance_b = covariance_of(b);
  const Eigen::SelfAdjointEigenSolver<Matrix> solver_a{Matrix(covariance_a)};
  const Matrix root_a = solver_a.eigenvectors() *
                        solver_a.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() *
                        solver_a.eigenvectors().transpose();
  const Matrix product = root_a * covariance_b * root_a;
  const Eigen::SelfAdjointEigenSolver<Matrix> solver{Matrix((product + product.transpose()) / 2),
                                                     Eigen::EigenvaluesOnly};
  const double root_trace = solver.eigenvalues().cwiseMax(0).cwiseSqrt().sum();
  return (mean_a - mean_b).squaredNorm() + covariance_a.trace() + covariance_b.trace() -
         2 * root_trace;
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
