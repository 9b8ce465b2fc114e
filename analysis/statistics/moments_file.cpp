#include "analysis/statistics/moments_file.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/npz/npz_reader.h"

namespace kvscope {

FeatureMoments read_feature_moments(const std::filesystem::path& path) {
  const NpzReader reader(path);
  const NpyArray mean = reader.array("mu");
  const NpyArray covariance = reader.array("sigma");
  const int64_t features = std::ssize(mean.values);
  if (features == 0 || covariance.shape != std::vector<int64_t>{features, features}) {
    throw Error(ErrorKind::kInput, fmt::format("{}: mu of {} values and sigma that does not fit it",
                                               path.string(), features));
  }
  FeatureMoments moments{
      .mean = at::tensor(mean.values, at::kDouble),
      .covariance = at::tensor(covariance.values, at::kDouble).view({features, features})};
  if (!moments.mean.isfinite().all().item<bool>() ||
      !moments.covariance.isfinite().all().item<bool>()) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: mu or sigma has values that are no finite numbers", path.string()));
  }
  return moments;
}

}  // namespace kvscope
