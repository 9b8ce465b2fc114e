#include "experiments/training/model_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

shapes::SkillShares shares_of(const std::string& counting, const std::string& others = "0") {
  ConfigNode train = load_yaml_text("{transformer: {skill_shares: {single_object: " + others +
                                        ", two_objects: " + others + ", counting: " + counting +
                                        ", colours: " + others + ", position: " + others +
                                        ", colour_attribution: " + others + "}}}",
                                    "t");
  train.label_paths("train");
  const std::atomic<bool> stop = false;
  return ModelTraining{
      .model = train, .train = train, .root = {}, .folder = {}, .device = at::kCPU, .stop = stop}
      .skill_shares();
}

std::string refusal(const std::string& counting) {
  try {
    shares_of(counting);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "";
}

TEST(SkillShares, AreReadByName) {
  EXPECT_EQ(shares_of("5", "2"), (shapes::SkillShares{2, 2, 5, 2, 2, 2}));
  EXPECT_EQ(shares_of("1"), (shapes::SkillShares{0, 0, 1, 0, 0, 0}));
}

TEST(SkillShares, SayWhatIsWrong) {
  EXPECT_THAT(refusal("-1"), testing::HasSubstr("train.transformer.skill_shares.counting=-1"));
  EXPECT_THAT(refusal("1001"), testing::HasSubstr("0..1000"));
  EXPECT_THAT(refusal("0"), testing::HasSubstr("all 0"));
}

}  // namespace
}  // namespace kvscope
