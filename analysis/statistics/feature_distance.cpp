#include "analysis/statistics/feature_distance.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/split_mix.h"

namespace kvscope {
namespace {

void require_rows(const at::Tensor& features) {
  if (features.dim() == 2 && features.size(0) >= 2 && features.size(1) > 0) return;
  throw Error(ErrorKind::kInput,
              fmt::format("a distance of sets needs at least 2 images in each, got {}",
                          features.dim() == 2 ? features.size(0) : 0));
}

void require_alike(int64_t a, int64_t b) {
  if (a == b) return;
  throw Error(ErrorKind::kInput, fmt::format("features of {} and of {} numbers: they come of "
                                             "different networks",
                                             a, b));
}

/// Rows less their mean over the root of N - 1: its square is the covariance.
at::Tensor centred(const at::Tensor& features) {
  const double divisor = std::sqrt(static_cast<double>(features.size(0) - 1));
  return (features - features.mean(0, true)) / divisor;
}

/// `count` of 0 .. size - 1, no one twice.
std::vector<int64_t> chosen(int64_t size, int64_t count, uint64_t& state) {
  std::vector<int64_t> rows(static_cast<size_t>(size));
  std::iota(rows.begin(), rows.end(), 0);
  for (int64_t i = 0; i < count; ++i) {
    state = split_mix(state);
    const auto left = static_cast<uint64_t>(size - i);
    std::swap(rows[static_cast<size_t>(i)],
              rows[static_cast<size_t>(i) + static_cast<size_t>(state % left)]);
  }
  rows.resize(static_cast<size_t>(count));
  return rows;
}

at::Tensor kernel(const at::Tensor& a, const at::Tensor& b) {
  return (at::matmul(a, b.t()) / a.size(1) + 1).pow(3);
}

double discrepancy(const at::Tensor& a, const at::Tensor& b) {
  const auto rows = static_cast<double>(a.size(0));
  const at::Tensor of_a = kernel(a, a);
  const at::Tensor of_b = kernel(b, b);
  const double within = (of_a.sum() - of_a.trace() + of_b.sum() - of_b.trace()).item<double>();
  return within / (rows * (rows - 1)) - 2 * kernel(a, b).mean().item<double>();
}

}  // namespace

FeatureMoments feature_moments(const at::Tensor& features) {
  require_rows(features);
  const at::Tensor wide = features.to(at::kCPU, at::kDouble);
  const at::Tensor rows = centred(wide);
  return {wide.mean(0), at::matmul(rows.t(), rows)};
}

double frechet_distance(const FeatureMoments& a, const FeatureMoments& b) {
  require_alike(a.mean.numel(), b.mean.numel());
  const auto [values, vectors] = at::linalg_eigh(a.covariance);
  const at::Tensor root = vectors * values.clamp_min(0).sqrt();  // root root^T = C1
  const at::Tensor product = at::matmul(at::matmul(root.t(), b.covariance), root);
  const at::Tensor symmetric = (product + product.t()) / 2;
  const double mixed = at::linalg_eigvalsh(symmetric).clamp_min(0).sqrt().sum().item<double>();
  const double means = (a.mean - b.mean).square().sum().item<double>();
  const double traces = (a.covariance.trace() + b.covariance.trace()).item<double>();
  return means + traces - 2 * mixed;
}

double frechet_distance(const at::Tensor& a, const at::Tensor& b) {
  require_rows(a);
  require_rows(b);
  require_alike(a.size(1), b.size(1));
  if (std::max(a.size(0), b.size(0)) > a.size(1)) {
    return frechet_distance(feature_moments(a), feature_moments(b));
  }
  const at::Tensor wide_a = a.to(at::kCPU, at::kDouble);
  const at::Tensor wide_b = b.to(at::kCPU, at::kDouble);
  const at::Tensor rows_a = centred(wide_a);
  const at::Tensor rows_b = centred(wide_b);
  const double mixed = at::linalg_svdvals(at::matmul(rows_a, rows_b.t())).sum().item<double>();
  const double means = (wide_a.mean(0) - wide_b.mean(0)).square().sum().item<double>();
  return means + (rows_a.square().sum() + rows_b.square().sum()).item<double>() - 2 * mixed;
}

double kernel_distance(const at::Tensor& a,
                       const at::Tensor& b,
                       const KernelDistanceSettings& settings) {
  require_rows(a);
  require_rows(b);
  require_alike(a.size(1), b.size(1));
  const at::Tensor wide_a = a.to(at::kCPU, at::kDouble);
  const at::Tensor wide_b = b.to(at::kCPU, at::kDouble);
  const int64_t size = std::min({settings.subset_size, a.size(0), b.size(0)});
  const bool is_all = size == a.size(0) && size == b.size(0);
  const int64_t subsets = is_all ? 1 : settings.subsets;  // all of them would be the same
  uint64_t state = settings.seed;
  double sum = 0;
  for (int64_t i = 0; i < subsets; ++i) {
    const at::Tensor rows_a = at::tensor(chosen(a.size(0), size, state), at::kLong);
    const at::Tensor rows_b = at::tensor(chosen(b.size(0), size, state), at::kLong);
    sum += discrepancy(wide_a.index_select(0, rows_a), wide_b.index_select(0, rows_b));
  }
  return sum / static_cast<double>(subsets);
}

}  // namespace kvscope
