// Every recorded decision of published cache policies that the repository holds, recomputed as
// `kvscope verify` does. Tests bear the names of the files.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "experiments/verify/verify.h"
#include "test_paths.h"

namespace kvscope {
namespace {

std::filesystem::path folder() {
  return std::filesystem::path(kSourceDir) / "tests/golden/policies";
}

std::vector<std::string> names() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    if (entry.path().extension() == ".safetensors") found.push_back(entry.path().stem().string());
  }
  std::ranges::sort(found);
  return found;
}

class GoldenPolicies : public testing::TestWithParam<std::string> {};

TEST_P(GoldenPolicies, EveryRecordedDecisionIsMadeAgain) {
  const std::vector<GroupResult> results = verify_file(folder() / (GetParam() + ".safetensors"));
  EXPECT_FALSE(results.empty());
  for (const GroupResult& result : results) {
    EXPECT_TRUE(result.ok) << result.group << ": " << result.largest_difference << ", "
                           << result.note;
    EXPECT_TRUE(result.compared) << result.group << ": " << result.note;
    EXPECT_NE(result.group, "(not compared)") << result.note;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenPolicies, testing::ValuesIn(names()), [](const auto& param) {
  return param.param;
});

}  // namespace
}  // namespace kvscope
