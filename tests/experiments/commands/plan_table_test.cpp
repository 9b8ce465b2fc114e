// What `plan` of a sweep, `why` and --json say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/experiments/sweep/sweep_testing.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Words = std::vector<std::string>;

TEST(PlanTable, HasARowAPointAndTouchesNothing) {
  const ResultsFolder folder("plan_table");
  const Words words = tiny_model() + Words{folder.override_text(), "policy=full,sliding_window",
                                           "budget.tokens=6,9", "seed=0,1", "gen.images=1"};
  const Answer text = answer(Words{"plan", "-m", "--fits", "1KiB"} + words);
  EXPECT_EQ(text.exit_code, 1) << text.err;
  EXPECT_THAT(text.out,
              testing::AllOf(HasSubstr("6 points, 2 duplicates left out, 6 missing"),
                             HasSubstr("sliding_window"), HasSubstr("seed"), HasSubstr("no, "),
                             HasSubstr(" too much"), HasSubstr("6 of 6 do not fit 1 KiB\n")));
  const Answer machine = answer(Words{"plan", "-m", "--json"} + words);
  ASSERT_EQ(machine.exit_code, 0) << machine.err;
  const json object = json::parse(machine.out);
  ASSERT_EQ(object.at("points").size(), 6);
  const PointList list = points_of(words);
  for (size_t i = 0; i < list.points.size(); ++i) {
    const Point& point = list.points[i];
    const json& row = object["points"][i];
    EXPECT_EQ(row.at("hash"), point.hash);
    EXPECT_EQ(row.at("state"), "missing");
    EXPECT_EQ(row.at("kv_bytes"),
              point.plan.live_bytes(3, point.generation.rows(point.generation.batch)));
    EXPECT_EQ(row.at("tokens_per_head"), point.kept_tokens());
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path()));
}

TEST(Why, NamesWhatDiffersFromTheNearestPoint) {
  const ResultsFolder folder("why");
  const Words words =
      tiny_model() + Words{folder.override_text(), "policy=full", "gen.images=1", "metrics=none"};
  ASSERT_EQ(answer(Words{"run", "-m"} + words).exit_code, 0);
  EXPECT_THAT(answer(Words{"why", "-m"} + words).out, HasSubstr("reused"));
  const Words other = words + Words{"seed=3"};
  EXPECT_THAT(answer(Words{"why", "-m"} + other).out, HasSubstr("gen.seed: 0 -> 3"));
  const json object = json::parse(answer(Words{"why", "--json", "-m"} + other).out);
  EXPECT_EQ(object.at("points").at(0).at("differences").at(0).at("key"), "gen.seed");
  const std::string hash = points_of(words).points.front().hash;
  EXPECT_THAT(answer({"why", hash.substr(0, 4), folder.path().string()}).out, HasSubstr("done"));
  EXPECT_EQ(answer({"why", "0000000000", folder.path().string()}).exit_code, 2);
  EXPECT_EQ(answer({"why", "abcd", "/nowhere"}).exit_code, 3);
  const Answer only = answer(Words{"run", "-m", "--only", "zz"} + words);
  EXPECT_EQ(only.exit_code, 2);
  EXPECT_THAT(only.err, HasSubstr("--only zz"));
}

TEST(Json, EveryReaderGivesOneObject) {
  for (const Words& words :
       {Words{"list", "policies", "--json"}, Words{"list", "keys", "--json"},
        Words{"list", "models", "--json"}, Words{"describe", "gen.cfg", "--json"},
        Words{"describe", "policy/snapkv", "--json"}}) {
    const Answer machine = answer(words);
    EXPECT_EQ(machine.exit_code, 0) << words.front();
    EXPECT_TRUE(json::parse(machine.out, nullptr, false).is_object()) << words[1];
  }
  const Answer unknown = answer({"describe", "gen.cgf", "--json"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_EQ(unknown.out, "");
}

}  // namespace
}  // namespace kvscope
