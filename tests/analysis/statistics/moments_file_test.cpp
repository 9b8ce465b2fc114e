#include "analysis/statistics/moments_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "test_paths.h"

namespace kvscope {
namespace {

const std::filesystem::path kJudges = std::filesystem::path(kSourceDir) / "tests/golden/judges";

TEST(MomentsFile, DistanceOfTwoIsThatOfPytorchFid) {
  std::ifstream stream(kJudges / "expected.json");
  const auto expected = nlohmann::json::parse(stream).at("fid_stats");
  const double fid = frechet_distance(read_feature_moments(kJudges / "fid_stats_1.npz"),
                                      read_feature_moments(kJudges / "fid_stats_2.npz"));
  EXPECT_NEAR(fid, expected.at("by_eigenvalues").get<double>(), 1e-6) << expected;
}

TEST(MomentsFile, OtherArchivesAreRefused) {
  EXPECT_THROW(read_feature_moments(kJudges / "samples_tiny.npz"), Error);
  EXPECT_THROW(read_feature_moments(kJudges / "expected.json"), Error);
}

}  // namespace
}  // namespace kvscope
