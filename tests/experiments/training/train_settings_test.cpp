#include "experiments/training/train_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

TrainSettings settings_of(const std::string& text, const std::string& family = "infinity") {
  return train_settings(family, load_yaml_text("{folder: f" + text + "}", "t"));
}

std::string refusal(const std::string& text, const std::string& family = "infinity") {
  try {
    settings_of(text, family);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "accepted";
}

std::string shares(const std::string& counting, const std::string& others = "0") {
  return ", transformer: {skill_shares: {single_object: " + others + ", two_objects: " + others +
         ", counting: " + counting + ", colours: " + others + ", position: " + others +
         ", colour_attribution: " + others + "}}";
}

TEST(TrainSettings, SkillSharesAreReadByName) {
  EXPECT_EQ(settings_of(shares("5", "2")).skill_shares, (shapes::SkillShares{2, 2, 5, 2, 2, 2}));
  EXPECT_EQ(settings_of(shares("1")).skill_shares, (shapes::SkillShares{0, 0, 1, 0, 0, 0}));
  EXPECT_THAT(refusal(shares("-1")), HasSubstr("train.transformer.skill_shares.counting=0"));
  EXPECT_THAT(refusal(shares("1001")), HasSubstr("0..1000"));
  EXPECT_THAT(refusal(shares("0")), HasSubstr("all 0"));
}

TEST(TrainSettings, EveryFamilyHasItsKeys) {
  EXPECT_EQ(settings_of(", autoencoder: {steps: 7}").tokenizer.steps, 7);
  EXPECT_EQ(settings_of(", tokenizer: {steps: 7}", "janus").tokenizer.steps, 7);
  EXPECT_THAT(refusal(", tokenizer: {steps: 7}"), HasSubstr("unknown key 'train.tokenizer'"));
  EXPECT_THAT(refusal(", transformer: {short_scales: 3}", "janus"), HasSubstr("short_scales"));
  EXPECT_THAT(refusal(", transformer: {stps: 3}"), HasSubstr("'train.transformer.steps'"));
  EXPECT_THAT(refusal("", "var"), HasSubstr("cannot be trained"));
}

}  // namespace
}  // namespace kvscope
