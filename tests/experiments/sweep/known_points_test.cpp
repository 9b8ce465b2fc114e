#include "experiments/sweep/known_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/text_file.h"
#include "core/config/hash.h"
#include "experiments/sweep/point_survey.h"
#include "experiments/sweep/run_manifest.h"
#include "experiments/sweep/run_point.h"
#include "sweep_testing.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Words = std::vector<std::string>;

PointSurvey survey_of(const Words& words, const PointVisitor& visit = {}) {
  const ConfigArguments arguments{.overrides = words, .multirun = true};
  return survey_points(compose_request(arguments), data_root().string(),
                       std::make_shared<ComponentRegistry>(), visit);
}

TEST(PointSurvey, PointsOfOneModelPolicyAndBudgetShareAPlan) {
  const Words words = tiny_model() + Words{"policy=h2o,snapkv", "budget.tokens=6,9",
                                           "seed=range(0,8)", "metrics=none"};
  int64_t heard = 0;
  const PointSurvey survey = survey_of(words, [&](Point& point) {
    ++heard;
    EXPECT_GT(point.kept_tokens(), 0);
    point.plan = Plan();
  });
  EXPECT_EQ(heard, 32);
  EXPECT_EQ(survey.list.points.size(), 32);
  EXPECT_EQ(survey.plans_made, 4);
  for (const Point& point : survey.list.points) {
    EXPECT_TRUE(point.plan.geometry().steps.empty()) << "plans are not held";
  }
  const PointList hashed = points_of(words);
  ASSERT_EQ(hashed.points.size(), survey.list.points.size());
  for (size_t i = 0; i < hashed.points.size(); ++i) {
    EXPECT_EQ(hashed.points[i].hash, survey.list.points[i].hash);
  }
}

TEST(PointSurvey, APointWhoseFilesAreMissingHasNoHash) {
  const PointSurvey survey =
      survey_of({"model.weights=/nowhere/weights.safetensors", "policy=full", "gen.images=1"});
  ASSERT_EQ(survey.list.points.size(), 1);
  EXPECT_EQ(survey.list.points.front().hash, "");
  EXPECT_THAT(survey.list.notes, testing::ElementsAre(HasSubstr("/nowhere/weights.safetensors")));
}

TEST(PointContent, DiffersByKeyAndForgivesDigestsThatWereNotKept) {
  const PointContent before{{"a", "1"}, {"b", "2"}, {"c", "3"}};
  const PointContent now{{"a", "1"}, {"b", "4"}, {"d", "5"}, {"sha256 of model.weights", "f"}};
  std::vector<std::string> texts;
  for (const ContentDifference& one : differences(before, now)) texts.push_back(one.text());
  EXPECT_THAT(texts, testing::ElementsAre("b: 2 -> 4", "c: 3 -> -", "d: - -> 5"));
}

TEST(KnownPoints, SayWhyAPointIsNewPartOrReused) {
  const ResultsFolder folder("known");
  const Words words = tiny_model() + Words{"policy=sliding_window", "metrics=none"};
  const Words made = words + Words{"budget.tokens=6", "gen.images=2"};
  ASSERT_TRUE(run_sweep(sweep_of(made, folder)).failures.empty());
  const auto standing = [&](const Words& asked) {
    const KnownPoints known(folder.path());
    return known.standing(points_of(asked).points.front());
  };
  const PointStanding done = standing(made);
  EXPECT_EQ(done.state, PointState::kDone);
  EXPECT_THAT(done.reason, HasSubstr("reused"));
  const PointStanding part = standing(words + Words{"budget.tokens=6", "gen.images=3"});
  EXPECT_EQ(part.state_text, "part 2/3");
  const PointStanding other = standing(words + Words{"budget.tokens=9", "gen.images=2"});
  EXPECT_EQ(other.state, PointState::kMissing);
  EXPECT_THAT(other.reason, HasSubstr("budget.tokens: 6 -> 9"));
  EXPECT_EQ(other.differences.size(), 1);
  EXPECT_GT(other.image_s, 0) << "a similar point was timed";
  EXPECT_FALSE(fs::exists(folder.path() / "report"));
  const KnownPoint there = KnownPoints(folder.path()).points().front();
  EXPECT_EQ(there.title, "sliding_window, 6 tokens");
  const std::string hash = points_of(made).points.front().hash;
  EXPECT_EQ(there.whole_hash, hash);
  EXPECT_EQ(there.hash, short_hash(hash));
  const Answer why = answer({"why", there.hash, folder.path().string(), "--json"});
  EXPECT_EQ(why.exit_code, 0) << why.err;
  EXPECT_THAT(why.out, HasSubstr("\"" + hash + "\""));
  const Answer unknown = answer({"why", "zzzz", folder.path().string()});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("no point's hash begins with 'zzzz'"));
}

TEST(Failures, AreTriedAgainCountedAndStopTheSweep) {
  const ResultsFolder folder("retried");
  const Words words = tiny_model() + Words{"policy=full,sliding_window", "budget.tokens=6",
                                           "gen.images=1", "metrics=none"};
  const auto broken = [&](const Words& more) {
    Sweep sweep = sweep_of(words + more, folder);
    // Of a model with fewer layers.
    sweep.list.points.front().plan =
        points_of(words + Words{"model.transformer.depth=1"}).points.front().plan;
    return run_sweep(sweep);
  };
  const SweepOutcome stopped = broken({"on_error=stop", "retries=2"});
  ASSERT_EQ(stopped.failures.size(), 1);
  EXPECT_EQ(stopped.failures.front().attempts, 3);
  const std::string hash = stopped.failures.front().hash;
  EXPECT_EQ(stored_point(folder.path() / "points" / hash).failure->attempts, 3);
  fs::remove_all(folder.path());
  const SweepOutcome at_once = broken({"max_failures=1"});
  EXPECT_TRUE(at_once.stopped);
  EXPECT_FALSE(at_once.interrupted);
  EXPECT_EQ(at_once.points_left, 1);
  EXPECT_EQ(at_once.points_done, 0);
}

TEST(Force, MakesAPointAgainAndKeepsTheOldUntilThen) {
  const ResultsFolder folder("forced");
  const Words words =
      tiny_model() + Words{"policy=full", "gen.images=2", "metrics=none", "seed=0,1"};
  Sweep sweep = sweep_of(words, folder);
  EXPECT_EQ(run_sweep(sweep).images_made, 4);
  sweep.force = true;
  EXPECT_EQ(run_sweep(sweep).images_made, 4);
  const fs::path place = point_folder(folder.path() / "points", sweep.list.points.front().hash);
  EXPECT_FALSE(fs::exists(place / "former"));
  EXPECT_EQ(stored_point(place).state, PointState::kDone);
}

TEST(RunManifest, SaysHowTheRunEndedAndNoMoreOfTheEnvironmentThanItMay) {
  const ResultsFolder folder("manifest");
  setenv("KVSCOPE_TEST_WORD", "seen", 1);
  setenv("KVSCOPE_TEST_TOKEN", "secret", 1);
  setenv("UNRELATED_WORD", "private", 1);
  const Sweep sweep =
      sweep_of(tiny_model() + Words{"policy=full", "gen.images=1", "metrics=none"}, folder);
  ASSERT_TRUE(run_sweep(sweep).failures.empty());
  const fs::path place = point_folder(folder.path() / "points", sweep.list.points.front().hash);
  for (const fs::path& where : {folder.path(), place}) {
    const auto json = nlohmann::json::parse(text_of_file(where / "manifest.json").value_or(""));
    EXPECT_EQ(json.at("outcome"), "done");
    EXPECT_EQ(json.at("images_made"), 1);
    EXPECT_GE(json.at("finished"), json.at("started"));
    EXPECT_EQ(json.at("environment").at("KVSCOPE_TEST_WORD"), "seen");
    EXPECT_FALSE(json.at("environment").contains("KVSCOPE_TEST_TOKEN"));
    EXPECT_FALSE(json.at("environment").contains("UNRELATED_WORD"));
    EXPECT_TRUE(json.at("build").at("libraries").contains("HDF5"));
    EXPECT_TRUE(json.at("sha256_others").contains("prompts"));
  }
  const std::string kept = results_of(sweep.list.points.front(), folder).point.manifest_json;
  EXPECT_THAT(kept, testing::Not(HasSubstr("started"))) << "no clock in results";
}

}  // namespace
}  // namespace kvscope
