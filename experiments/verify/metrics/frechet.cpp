#include <ATen/ATen.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analysis/statistics/feature_distance.h"
#include "experiments/verify/metrics/metric_groups.h"

namespace kvscope::verify {

std::vector<GroupResult> check_frechet(GoldenFile& file) {
  GroupCheck moments("means, covariances", 1e-12, 1e-9);
  GroupCheck best("frechet by singular values", 1e-9, 1e-11);
  GroupCheck others("frechet by eigenvalues", 1e-6);
  const auto cases = file.has_key("fid") ? nlohmann::json::parse(file.text("fid"), nullptr, false)
                                         : nlohmann::json::object();
  for (const auto& [name, distances] : cases.items()) {
    const std::string place = fmt::format("fid.{}.", name);
    if (!file.has(place + "x") || !file.has(place + "y")) continue;
    const at::Tensor x = recorded(file, place + "x");
    const at::Tensor y = recorded(file, place + "y");
    const FeatureMoments of_x = feature_moments(x);
    const FeatureMoments of_y = feature_moments(y);
    const auto compare = [&](const char* what, const at::Tensor& computed) {
      if (file.has(place + what))
        moments.compare(computed, recorded(file, place + what), place + what);
    };
    compare("mu1", of_x.mean);
    compare("mu2", of_y.mean);
    compare("cov1", of_x.covariance);
    compare("cov2", of_y.covariance);
    const auto expected = [&](const char* way) {
      if (!distances.contains(way) || !distances[way].is_number()) {
        file.fail(fmt::format("metadata 'fid' has no number {}.{}", name, way));
      }
      return at::tensor(distances[way].get<double>(), at::kDouble);
    };
    best.compare(at::tensor(frechet_distance(x, y), at::kDouble), expected("svd"), place + "svd");
    const at::Tensor by_moments = at::tensor(frechet_distance(of_x, of_y), at::kDouble);
    others.compare(by_moments, expected("eigen"), place + "eigen");
    others.compare(by_moments, expected("pytorch_fid"), place + "pytorch_fid");
  }
  if (best.compared() == 0) return {not_in_file("frechet", "sets of features")};
  return {moments.result(), best.result(), others.result("of pytorch-fid's own form too")};
}

}  // namespace kvscope::verify
