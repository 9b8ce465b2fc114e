#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace kvscope {

/// Mean [features] and covariance [features, features] (divisor N - 1) of rows of features, f64.
struct FeatureMoments {
  at::Tensor mean{};
  at::Tensor covariance{};
};

/// Of `features` [rows, features], at least two rows; else Error(kInput).
FeatureMoments feature_moments(const at::Tensor& features);

/// The Frechet distance between two Gaussians, as FID takes it (Heusel et al. 2017):
///   |m1 - m2|^2 + tr(C1) + tr(C2) - 2 tr((C1 C2)^(1/2)),
/// the last trace as the sum of the roots of the eigenvalues of C1^(1/2) C2 C1^(1/2), which is
/// exact for singular covariances too. Throws Error(kInput) for moments of unlike sizes.
double frechet_distance(const FeatureMoments& a, const FeatureMoments& b);

/// The same of two sets of features [rows, features]: for fewer rows than features by the singular
/// values of the product of the centred sets, which loses the least; else by their moments.
double frechet_distance(const at::Tensor& a, const at::Tensor& b);

/// How the kernel inception distance is estimated (Binkowski et al. 2018).
struct KernelDistanceSettings {
  int64_t subsets = 100;
  int64_t subset_size = 1000;  ///< at most; never more than the smaller set
  uint64_t seed = 0;
};

/// The squared maximum mean discrepancy under (x y / features + 1)^3, unbiased: the mean over
/// random subsets without replacement. Throws Error(kInput) for sets of fewer than two rows.
double kernel_distance(const at::Tensor& a,
                       const at::Tensor& b,
                       const KernelDistanceSettings& settings = {});

}  // namespace kvscope
