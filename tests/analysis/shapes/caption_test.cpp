#include "analysis/shapes/caption.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "core/base/error.h"

namespace kvscope::shapes {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::string error_of(const std::string& caption) {
  try {
    parse_caption(caption);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "parsed";
}

TEST(Caption, EveryCaptionReadsBackAsItself) {
  for (const Skill skill : kSkills) {
    for (const std::string& caption : all_captions(skill)) {
      const Scene scene = parse_caption(caption);
      EXPECT_EQ(scene.caption, caption);
      EXPECT_EQ(scene.skill, skill) << caption;
    }
  }
}

TEST(Caption, MeaningOfEachForm) {
  EXPECT_FALSE(parse_caption("a circle").objects[0].colour_named);
  const Scene counted = parse_caption("three green triangles");
  ASSERT_EQ(counted.objects.size(), 3U);
  EXPECT_EQ(counted.objects[2].shape, Shape::kTriangle);
  EXPECT_EQ(counted.objects[2].colour, Colour::kGreen);
  const Scene placed = parse_caption("a red cross below a cyan square");
  EXPECT_EQ(placed.relation, Relation::kBelow);
  EXPECT_EQ(placed.objects[0].shape, Shape::kCross);
  EXPECT_EQ(placed.objects[1].colour, Colour::kCyan);
  EXPECT_GT(placed.objects[0].centre_y, placed.objects[1].centre_y);
}

TEST(Caption, SaysWhichWordIsWrongAndTheNearest) {
  EXPECT_THAT(error_of("a red cicle"), HasSubstr("word 3: cannot read 'cicle'"));
  EXPECT_THAT(error_of("a red cicle"), HasSubstr("Did you mean 'circle'"));
  EXPECT_THAT(error_of("a red circle left from a blue square"), HasSubstr("Expected of."));
  EXPECT_THAT(error_of("a red circle and a square"), HasSubstr("Expected red, green"));
  EXPECT_THAT(error_of("a circle and a red square"), HasSubstr("name both or none"));
  EXPECT_THAT(error_of("a circle above a square"), HasSubstr("Expected and."));
  EXPECT_THAT(error_of(""), HasSubstr("the caption ends"));
  EXPECT_THAT(error_of("a red"), HasSubstr("the caption ends"));
  EXPECT_THAT(error_of("two circles"), HasSubstr("Expected red"));
  EXPECT_THAT(error_of("five red circles"), HasSubstr("Expected a, two, three, four."));
  EXPECT_THAT(error_of("a red circle and a blue square too"), HasSubstr("the end of the caption"));
}

TEST(Caption, TheVocabularyHasEveryWord) {
  for (const Skill skill : kSkills) {
    for (const std::string& caption : all_captions(skill)) {
      std::istringstream words(caption);
      for (std::string word; words >> word;) EXPECT_THAT(caption_words(), Contains(word));
    }
  }
}

}  // namespace
}  // namespace kvscope::shapes
