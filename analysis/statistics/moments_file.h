#pragma once

#include <filesystem>

#include "analysis/statistics/feature_distance.h"

namespace kvscope {

/// Statistics of features as pytorch-fid and clean-fid keep them: a .npz with `mu` [features] and
/// `sigma` [features, features]. Throws Error(kInput) for what is no such file, or has values that
/// are not finite.
FeatureMoments read_feature_moments(const std::filesystem::path& path);

}  // namespace kvscope
