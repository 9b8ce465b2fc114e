// Where prompts come from: one on the command line, lists, and the group that a model chooses.
#include <set>

#include "core/base/error.h"
#include "experiments/sweep/point.h"
#include "sweep_testing.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

Point point_of(const std::vector<std::string>& overrides) {
  return points_of(overrides, PointIdentity::kNone).points.front();
}

std::vector<std::string> texts(const Point& point) {
  std::vector<std::string> result;
  for (const Prompt& prompt : point.prompts) result.push_back(prompt.text);
  return result;
}

std::string refusal(const std::vector<std::string>& overrides) {
  try {
    point_of(overrides);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "accepted";
}

using Texts = std::vector<std::string>;

TEST(Prompts, ANumberIsAPromptOfItsDigits) {
  EXPECT_EQ(texts(point_of({"model=var_d16", "prompt=207"})), Texts{"207"});
  EXPECT_EQ(texts(point_of({"prompt='a red circle'"})), Texts{"a red circle"});
  EXPECT_THAT(refusal({"prompt=''"}), HasSubstr("prompt= is empty"));
  EXPECT_THAT(refusal({"prompt=2.5"}), HasSubstr("prompt"));
  EXPECT_THAT(refusal({"prompt=[1,2]"}), HasSubstr("prompt"));
}

TEST(Prompts, AListGivesItsFirst) {
  const Texts list = {"prompts.source=list", "+prompts.list=[7,'a dog',0]"};
  EXPECT_EQ(texts(point_of(list + Texts{"gen.images=2"})), (Texts{"7", "a dog"}));
  EXPECT_EQ(texts(point_of(list + Texts{"gen.images=null"})), (Texts{"7", "a dog", "0"}));
  EXPECT_THAT(refusal(list + Texts{"gen.images=4"}),
              testing::AllOf(HasSubstr("prompts.list has 3"), HasSubstr("asks for 4")));
  EXPECT_THAT(refusal({"prompts.source=list", "+prompts.list=null"}), HasSubstr("prompts.list"));
}

TEST(Prompts, AClassConditionalModelChoosesClassesAndItsSettings) {
  const Point point = point_of({"model=var_d16", "gen.images=3"});
  EXPECT_EQ(texts(point), (Texts{"207", "414", "621"}));
  EXPECT_EQ(point.generation.sampling.cfg, std::vector<double>{1.5});
  EXPECT_EQ(point.generation.sampling.top_p, 0.96);
  EXPECT_EQ(point.generation.rows(2), 4);
  const Point all = point_of({"model=var_d36", "gen.images=null"});
  const Texts classes = texts(all);
  EXPECT_EQ(std::set<std::string>(classes.begin(), classes.end()).size(), 1000u);
}

TEST(Prompts, TheCommandLineOutranksTheModel) {
  const Point point = point_of({"model=var_d16", "gen=default", "gen.cfg=0"});
  EXPECT_EQ(point.generation.sampling.top_p, 0.97);
  EXPECT_EQ(point.generation.rows(2), 2);  // 0 is VAR's "no guidance"
  EXPECT_EQ(point_of({"gen.cfg=1"}).generation.rows(2), 2);
  EXPECT_EQ(point_of({"gen.cfg=0"}).generation.rows(2), 4);
  EXPECT_THAT(refusal({"model=var_d16", "prompts=file"}), HasSubstr("prompts.file"));
}

}  // namespace
}  // namespace kvscope
