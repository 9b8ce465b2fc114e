#include "analysis/networks/clip.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "analysis/networks/clip_names.h"
#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "test_paths.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

TensorMap tiny(const std::string& prefix) {
  return read_safetensors(std::string(kSourceDir) + "/tests/golden/clip_tiny.safetensors")
      .below(prefix);
}

std::string refusal_of(const TensorMap& tensors) {
  try {
    const Clip clip(tensors, "x.pt");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "not refused";
}

TEST(Clip, KnowsItsSizesAndWhoseNamesItHas) {
  const Clip openai(tiny("openai."), "x.pt");
  EXPECT_EQ(openai.names(), ClipNames::kOpenAi);
  EXPECT_EQ(openai.activation(), ClipActivation::kQuickGelu);
  EXPECT_EQ(openai.sizes().pixels, 48);
  EXPECT_EQ(openai.sizes().vision_heads, 2);
  EXPECT_EQ(openai.sizes().context, 77);
  EXPECT_EQ(openai.sizes().features, 32);
  const Clip open_clip(tiny("open_clip."), "x.pt", {.vision_heads = 3, .text_heads = 4});
  EXPECT_EQ(open_clip.names(), ClipNames::kOpenClip);
  EXPECT_EQ(open_clip.activation(), ClipActivation::kGelu);
  EXPECT_EQ(open_clip.sizes().vision_heads, 3);
}

TEST(Clip, TheOtherActivationIsAnotherNetwork) {
  const TensorMap tensors = tiny("openai.");
  const at::Tensor pixels = at::zeros({1, 3, 48, 48});
  const at::Tensor quick = Clip(tensors, "x.pt").image_features(pixels);
  const Clip exact(tensors, "x.pt", {.activation = ClipActivation::kGelu});
  EXPECT_GT((quick - exact.image_features(pixels)).abs().max().item<double>(), 1e-4);
}

TEST(Clip, RefusesWhatDoesNotFitByName) {
  EXPECT_THAT(refusal_of(TensorMap()), HasSubstr("no CLIP"));
  TensorMap residual;
  residual.set("visual.layer1.0.conv1.weight", at::zeros({1}));
  EXPECT_THAT(refusal_of(residual), HasSubstr("residual network"));
  TensorMap without;
  for (const auto& [name, tensor] : tiny("openai.")) {
    if (name != "transformer.resblocks.1.mlp.c_proj.bias") without.set(name, tensor);
  }
  EXPECT_THAT(refusal_of(without), HasSubstr("transformer.resblocks.1.mlp.c_proj.bias"));
  TensorMap wrong = tiny("openai.");
  wrong.set("visual.proj", at::zeros({3, 4}));
  EXPECT_THAT(refusal_of(wrong), HasSubstr("visual.proj"));
}

TEST(Clip, HeadsThatDoNotDivideTheWidthAreAConfigurationError) {
  try {
    const Clip clip(tiny("openai."), "x.pt", {.vision_heads = 7});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), HasSubstr("metrics.clip.vision_heads"));
  }
}

}  // namespace
}  // namespace kvscope
