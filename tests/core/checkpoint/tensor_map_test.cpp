#include "core/checkpoint/tensor_map.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TensorMap three() {
  TensorMap map;
  map.set("z.weight", at::ones({2, 3}));
  map.set("a.weight", at::zeros({4}));
  map.set("z.bias", at::zeros({2}));
  return map;
}

TEST(TensorMap, KeepsInsertionOrderAndReplacesInPlace) {
  TensorMap map = three();
  map.set("a.weight", at::full({1}, 7.0));
  EXPECT_THAT(map.names(), ElementsAre("z.weight", "a.weight", "z.bias"));
  EXPECT_EQ(map.at("a.weight").item<float>(), 7);
  EXPECT_TRUE(map.contains("z.bias"));
  EXPECT_FALSE(map.contains("z"));
}

TEST(TensorMap, NamesWhatIsMissingAndWhatIsNear) {
  try {
    static_cast<void>(three().at("z.wieght"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr("'z.wieght'"));
    EXPECT_THAT(error.what(), HasSubstr("nearest is 'z.weight'"));
  }
}

TEST(TensorMap, ChecksShapes) {
  const TensorMap map = three();
  EXPECT_EQ(map.at("z.weight", {2, 3}).numel(), 6);
  try {
    static_cast<void>(map.at("z.weight", {3, 2}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'z.weight' has shape [2, 3], expected [3, 2]"));
  }
}

TEST(TensorMap, BelowStripsThePrefixAndSharesMemory) {
  const TensorMap map = three();
  const TensorMap below = map.below("z.");
  EXPECT_THAT(below.names(), ElementsAre("weight", "bias"));
  EXPECT_TRUE(below.at("weight").is_alias_of(map.at("z.weight")));
}

}  // namespace
}  // namespace kvscope
