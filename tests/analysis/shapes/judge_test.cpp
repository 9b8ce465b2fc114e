#include "analysis/shapes/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/shapes/caption.h"
#include "analysis/shapes/draw.h"
#include "analysis/shapes/random.h"
#include "core/base/error.h"

namespace kvscope::shapes {
namespace {

using ::testing::HasSubstr;

class JudgeOfSkill : public ::testing::TestWithParam<Skill> {};

/// A 5 x 5 Gaussian blur, borders clamped: what a small decoder does to edges.
Image blurred(const Image& image, double sigma) {
  Image result(image.height, image.width);
  std::array<double, 5> window{};
  for (int i = 0; i < 5; ++i) window[i] = std::exp(-0.5 * (i - 2) * (i - 2) / (sigma * sigma));
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      std::array<double, 3> sum{};
      double total = 0.0;
      for (int64_t i = 0; i < 25; ++i) {
        const double weight = window[i / 5] * window[i % 5];
        const uint8_t* pixel = image.pixel(std::clamp<int64_t>(y + i / 5 - 2, 0, image.height - 1),
                                           std::clamp<int64_t>(x + i % 5 - 2, 0, image.width - 1));
        for (int c = 0; c < 3; ++c) sum[c] += weight * pixel[c];
        total += weight;
      }
      for (int c = 0; c < 3; ++c) {
        result.pixel(y, x)[c] = static_cast<uint8_t>(std::lround(sum[c] / total));
      }
    }
  }
  return result;
}

/// Adds uniform noise of the standard deviation that gives `decibels` of PSNR.
Image noisy(Image image, double decibels, SplitMix64& random) {
  const double deviation = 255.0 * std::pow(10.0, -decibels / 20.0);
  const auto reach = static_cast<int64_t>(std::lround(deviation * std::sqrt(3.0)));
  for (uint8_t& value : image.rgb) {
    value = static_cast<uint8_t>(std::clamp<int64_t>(value + random.jitter(reach), 0, 255));
  }
  return image;
}

TEST_P(JudgeOfSkill, AcceptsTheTruth) {
  constexpr int kScenes = 2000;
  int correct = 0;
  for (uint64_t seed = 0; seed < kScenes; ++seed) {
    const Scene scene = random_scene(GetParam(), seed);
    correct += judge(draw(scene), scene.caption).correct ? 1 : 0;
  }
  EXPECT_GE(correct, 0.99 * kScenes);
}

TEST_P(JudgeOfSkill, AcceptsWhatADecoderMakesOfTheTruth) {
  constexpr int kScenes = 300;
  SplitMix64 random(5);
  int correct_blurred = 0;
  int correct_noisy = 0;
  int correct_both = 0;
  for (uint64_t seed = 0; seed < kScenes; ++seed) {
    const Scene scene = random_scene(GetParam(), 1000 + seed);
    const Image image = draw(scene);
    const Image soft = blurred(image, 1.0);
    correct_blurred += judge(soft, scene).correct ? 1 : 0;
    correct_noisy += judge(noisy(image, 30.0, random), scene).correct ? 1 : 0;
    correct_both += judge(noisy(soft, 30.0, random), scene).correct ? 1 : 0;
  }
  EXPECT_GE(correct_blurred, 0.95 * kScenes);
  EXPECT_GE(correct_noisy, 0.95 * kScenes);
  EXPECT_GE(correct_both, 0.95 * kScenes);
}

TEST_P(JudgeOfSkill, RejectsEmptyAndNoiseImages) {
  SplitMix64 random(9);
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Scene scene = random_scene(GetParam(), seed);
    Scene empty = scene;
    empty.objects.clear();
    const ShapeVerdict verdict = judge(draw(empty), scene);
    EXPECT_FALSE(verdict.correct);
    EXPECT_THAT(verdict.reason, HasSubstr("saw nothing"));
    Image noise(kImageSize, kImageSize);
    for (uint8_t& value : noise.rgb) value = static_cast<uint8_t>(random.below(256));
    EXPECT_FALSE(judge(noise, scene).correct) << scene.caption;
  }
}

TEST_P(JudgeOfSkill, RejectsAnotherShape) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const Scene asked = random_scene(GetParam(), seed);
    Scene drawn = asked;
    // Another shape of the world, but none that the caption asks for elsewhere.
    for (SceneObject& object : drawn.objects) {
      for (const Shape shape : kShapes) {
        const bool wanted = std::any_of(asked.objects.begin(), asked.objects.end(),
                                        [&](const auto& other) { return other.shape == shape; });
        if (!wanted) object.shape = shape;
      }
    }
    EXPECT_FALSE(judge(draw(drawn), asked).correct) << asked.caption;
  }
}

INSTANTIATE_TEST_SUITE_P(Skills, JudgeOfSkill, ::testing::ValuesIn(kSkills), [](const auto& named) {
  return std::string(skill_name(named.param));
});

Colour next_colour(Colour colour) {
  return kColours[(static_cast<size_t>(colour) + 1) % kColours.size()];
}

TEST(Judge, RejectsAWrongColourWhereItIsNamed) {
  for (const Skill skill :
       {Skill::kColours, Skill::kCounting, Skill::kPosition, Skill::kColourAttribution}) {
    for (uint64_t seed = 0; seed < 300; ++seed) {
      const Scene asked = random_scene(skill, seed);
      Scene drawn = asked;
      drawn.objects.back().colour = next_colour(drawn.objects.back().colour);
      EXPECT_FALSE(judge(draw(drawn), asked).correct) << asked.caption;
    }
  }
}

TEST(Judge, AnyColourIsRightWhereNoneIsNamed) {
  for (const char* caption : {"a cross", "a circle and a square"}) {
    Scene drawn = parse_caption(caption);
    for (const Colour colour : kColours) {
      for (SceneObject& object : drawn.objects) object.colour = colour;
      EXPECT_TRUE(judge(draw(drawn), caption).correct) << caption << colour_name(colour);
    }
  }
}

TEST(Judge, RejectsAWrongCount) {
  for (const char* asked : {"two", "three", "four"}) {
    for (const char* drawn : {"two", "three", "four"}) {
      for (const char* things :
           {" red circles", " cyan squares", " blue triangles", " yellow crosses"}) {
        const Image image = draw(parse_caption(std::string(drawn) + things));
        const ShapeVerdict verdict = judge(image, std::string(asked) + things);
        EXPECT_EQ(verdict.correct, std::string(asked) == drawn) << asked << drawn << things;
      }
    }
  }
  EXPECT_FALSE(judge(draw(parse_caption("a red circle")), "two red circles").correct);
}

TEST(Judge, RejectsSwappedPositionsAndOtherAxes) {
  const std::array<std::string, 4> relations = {"left of", "right of", "above", "below"};
  for (const std::string& drawn : relations) {
    for (const std::string& asked : relations) {
      const Image image = draw(parse_caption("a red circle " + drawn + " a blue square"));
      const ShapeVerdict verdict = judge(image, "a red circle " + asked + " a blue square");
      EXPECT_EQ(verdict.correct, drawn == asked) << drawn << " judged as " << asked;
      EXPECT_EQ(verdict.objects.size(), 2U);
    }
  }
}

TEST(Judge, RejectsSwappedColours) {
  const Image image = draw(parse_caption("a red circle and a blue square"));
  EXPECT_TRUE(judge(image, "a blue square and a red circle").correct);
  const ShapeVerdict verdict = judge(image, "a blue circle and a red square");
  EXPECT_FALSE(verdict.correct);
  EXPECT_THAT(verdict.reason, HasSubstr("expected blue circle"));
  EXPECT_THAT(verdict.reason, HasSubstr("red circle"));
}

TEST(Judge, RejectsMergedShapes) {
  for (const char* things :
       {"two red circles", "two red squares", "two green triangles", "two blue crosses"}) {
    Scene merged = parse_caption(things);
    const std::string one =
        "a " + std::string(shape_name(merged.objects[0].shape));  // nor is the blob one of them
    for (const int64_t apart : {8, 11, 14}) {
      merged.objects[0].centre_x = 32 - apart / 2;
      merged.objects[1].centre_x = merged.objects[0].centre_x + apart;
      EXPECT_FALSE(judge(draw(merged), things).correct) << things << " apart " << apart;
      if (apart == 8) continue;  // almost one wide circle
      EXPECT_FALSE(judge(draw(merged), one).correct) << one << " apart " << apart;
    }
  }
}

TEST(Judge, ThingsNotAskedForDoNotMatterExceptInCounting) {
  const Image two = draw(parse_caption("a red circle and a blue square"));
  EXPECT_TRUE(judge(two, "a red circle").correct);
  EXPECT_TRUE(judge(two, "a square").correct);
  Scene three = parse_caption("three red circles");
  three.objects[2].colour = Colour::kGreen;
  EXPECT_FALSE(judge(draw(three), "two red circles").correct) << "three circles, one green";
}

TEST(Judge, WhiteAndGreyAreNoColour) {
  for (const int level : {90, 160, 255}) {
    Image image = draw(parse_caption("a cyan square"));
    for (size_t i = 0; i < image.rgb.size(); i += 3) {
      if (image.rgb[i + 2] < 100) continue;
      std::fill_n(&image.rgb[i], 3, static_cast<uint8_t>(level));
    }
    EXPECT_FALSE(judge(image, "a square").correct) << level;
  }
}

TEST(Judge, FindsWhereThingsAre) {
  const Scene scene = parse_caption("a magenta square");
  const std::vector<DetectedObject> objects = detect(draw(scene));
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(objects[0].shape, Shape::kSquare);
  EXPECT_EQ(objects[0].colour, Colour::kMagenta);
  EXPECT_EQ(objects[0].left, 20);
  EXPECT_EQ(objects[0].right, 44);
  EXPECT_EQ(objects[0].top, 20);
  EXPECT_EQ(objects[0].bottom, 44);
  // The two pixels beyond each corner's rounding are all that smoothing takes.
  EXPECT_NEAR(static_cast<double>(objects[0].area_pixels), 24.0 * 24.0, 8.0);
  EXPECT_THROW(detect(Image(4, 64)), Error);
}

}  // namespace
}  // namespace kvscope::shapes
