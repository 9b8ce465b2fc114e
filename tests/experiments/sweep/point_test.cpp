#include "experiments/sweep/point.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "policies/profiles/profile_file.h"
#include "sweep_testing.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

std::string refusal(const std::vector<std::string>& overrides, bool multirun = false) {
  try {
    points_of(overrides, PointIdentity::kHashed, multirun);  // no weights needed to be refused
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), 2) << error.what();
    return error.what();
  }
  return "accepted";
}

TEST(Points, FullIgnoresBudgetsAndComesFirst) {
  const PointList list =
      points_of(tiny_model() +
                std::vector<std::string>{"policy=sliding_window,full", "budget.ratio=0.5,0.2,1.0"});
  ASSERT_EQ(list.points.size(), 4);
  EXPECT_EQ(list.duplicates, 2);
  const Point& full = list.points.front();
  EXPECT_TRUE(full.full_cache);
  EXPECT_EQ(full.kept_tokens(), full.full_tokens());
  EXPECT_EQ(full.full_tokens(), 14);
  for (const Point& point : list.points) {
    EXPECT_EQ(point.reference_hash, full.hash);
    EXPECT_EQ(point.hash.size(), 64);
    EXPECT_EQ(point.images(), 5);
  }
}

TEST(Points, APackedCacheIsNoReference) {
  const PointList list = points_of(
      tiny_model() + std::vector<std::string>{"policy=kivi,full", "budget.ratio=0.5,0.2"});
  ASSERT_EQ(list.points.size(), 2) << "both keep everything, whatever the budget";
  EXPECT_EQ(list.duplicates, 2);
  const Point& full = list.points.front();
  const Point& kivi = list.points.back();
  EXPECT_TRUE(full.full_cache);
  EXPECT_FALSE(kivi.full_cache);
  EXPECT_EQ(kivi.reference_hash, full.hash);
  EXPECT_EQ(kivi.kept_tokens(), kivi.full_tokens());

  const Point stored =
      points_of(tiny_model() + std::vector<std::string>{"policy=full", "policy.store=int8"})
          .points.front();
  EXPECT_FALSE(stored.full_cache);
  EXPECT_LT(stored.plan.live_bytes(3, 1), full.plan.live_bytes(3, 1));
}

TEST(Points, HashesFollowWhatMattersAndNothingElse) {
  const auto hash = [](const std::vector<std::string>& more) {
    return points_of(tiny_model() + more).points.front().hash;
  };
  const std::string base = hash({});
  EXPECT_EQ(hash({"name=other", "threads=1"}), base);
  EXPECT_NE(hash({"gen.top_p=0.5"}), base);
  EXPECT_NE(hash({"seed=1"}), base);
  EXPECT_EQ(hash({"seed=1"}), hash({"gen.seed=1"}));
  for (const char* same : {"gen.images=6", "gen.images=1", "gen.batch=1", "gen.batch=auto",
                           "gen.replicas=3", "metrics=none", "metrics.list=[psnr]"}) {
    EXPECT_EQ(hash({same}), base) << same << " changes no image";
  }
  EXPECT_NE(hash({"prompts.seed=2"}), base);
  EXPECT_NE(hash({"prompt='a red circle'", "gen.images=null"}), base);
}

TEST(Points, EqualPointsAreOneThatAsksForAllOfThem) {
  const PointList list =
      points_of(tiny_model() + std::vector<std::string>{"gen.images=3,7", "gen.replicas=2,1",
                                                        "metrics.list=[psnr],[ssim]"});
  ASSERT_EQ(list.points.size(), 1);
  EXPECT_EQ(list.duplicates, 7);
  EXPECT_EQ(list.points.front().images(), 14);
  EXPECT_EQ(list.points.front().metrics, (std::vector<std::string>{"psnr", "ssim"}));
  EXPECT_EQ(list.points.front().config.at("gen.images").as_int64(), 7);
}

/// What a config said, as result files keep it.
ConfigNode asking(const std::vector<std::string>& overrides) {
  return points_of(tiny_model() + overrides).points.front().config;
}

TEST(Points, FormerHashesAreThoseOfEarlierVersions) {
  // As version 2 of result files had them, of this command line.
  const Point point =
      points_of(tiny_model() + std::vector<std::string>{"policy=sliding_window", "budget.tokens=6",
                                                        "gen.images=9", "gen.batch=auto"})
          .points.front();
  EXPECT_EQ(point.former_hash(asking({"gen.images=5", "gen.batch=2"})).substr(0, 12),
            "c97cf24367af");
  EXPECT_EQ(point.former_hash(asking({"gen.images=24", "gen.batch=2", "threads=1"})).substr(0, 12),
            "0474681e4714");
}

TEST(Points, AFileThatThePolicyNamesBelongsToTheHash) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "kvs-roles.yaml";
  Profile roles{.kind = ProfileKind::kRoles,
                .shape = {.layers = 2, .heads = 2, .steps = 4, .next_token = false},
                .metric = {.name = "selectivity"}};
  roles.scales = {{.first_step = 1,
                   .last_step = 3,
                   .drafters = {0},
                   .selectivity = {0.1, 0.2},
                   .z_score = {-1, 1}}};
  const auto point = [&] {
    write_profile(path, roles);
    return points_of(tiny_model() +
                     std::vector<std::string>{
                         "policy=scalekv", fmt::format("policy.allocate.roles='{}'", path.string()),
                         "budget.ratio=0.5"})
        .points.front();
  };
  const Point first = point();
  EXPECT_EQ(point().hash, first.hash);
  roles.scales[0].drafters = {1};
  const Point second = point();
  EXPECT_NE(second.hash, first.hash);
  EXPECT_EQ(second.reference_hash, first.reference_hash) << "the full cache reads no roles";
  EXPECT_GT(first.plan.kept(2, 0, 0), first.plan.kept(2, 1, 0));
  EXPECT_LT(second.plan.kept(2, 0, 0), second.plan.kept(2, 1, 0));
  std::filesystem::remove(path);
}

TEST(Points, TheLastScaleIsStoredWhereAsked) {
  const auto point = [](const std::vector<std::string>& more) {
    return points_of(tiny_model() + std::vector<std::string>{"policy=scalekv", "budget.ratio=0.5"} +
                     more)
        .points.front();
  };
  const Point plain = point({});
  const Point stored = point({"gen.store_last_scale=true"});
  EXPECT_FALSE(plain.plan.geometry().steps.back().stored);
  EXPECT_TRUE(stored.plan.geometry().steps.back().stored);
  EXPECT_EQ(stored.plan.live_tokens(2), plain.plan.live_tokens(2));
  EXPECT_DOUBLE_EQ(stored.kept_tokens(), plain.kept_tokens());
  EXPECT_NE(stored.hash, plain.hash);
  EXPECT_THROW(points_of({"model=shapes_next_token", "gen.store_last_scale=true"}), Error);
}

TEST(Points, EverySeedHasItsOwnReference) {
  const PointList list =
      points_of(tiny_model() + std::vector<std::string>{"policy=full,sliding_window", "seed=0,1",
                                                        "budget.tokens=6"});
  ASSERT_EQ(list.points.size(), 4);
  EXPECT_NE(list.points[0].hash, list.points[1].hash);
  EXPECT_EQ(list.points[2].reference_hash, list.points[0].hash);
  EXPECT_EQ(list.points[3].reference_hash, list.points[1].hash);
}

TEST(Points, BudgetsInEveryUnitAreResolvedAndKept) {
  // 2 layers x 2 heads x 2 guided rows x 16 channels x (4 + 4) bytes = 1 KiB a token
  const std::vector<std::pair<std::string, int64_t>> budgets = {{"budget.tokens=6", 6},
                                                                {"budget.bytes=6KiB", 6},
                                                                {"budget.bytes=7000", 6},
                                                                {"budget.scales=1", 9},
                                                                {"budget.ratio=0.5", 7}};
  for (const auto& [text, tokens] : budgets) {
    const Point point =
        points_of(tiny_model() + std::vector<std::string>{"policy=sliding_window", text})
            .points.front();
    EXPECT_EQ(point.budget_tokens, tokens) << text;
    EXPECT_EQ(point.kept_tokens(), tokens) << text;
    const PointInfo info = point.info("{}", 15);
    EXPECT_EQ(info.budget_tokens, tokens);
    EXPECT_EQ(info.target_tokens, tokens);
    EXPECT_EQ(info.label("budget"), budget_text(point.budget));
  }
}

TEST(Points, EqualBudgetsAreOnePoint) {
  const PointList list = points_of(
      tiny_model() + std::vector<std::string>{"policy=sliding_window", "budget.tokens=6,6"});
  EXPECT_EQ(list.points.size(), 1);
  EXPECT_EQ(list.duplicates, 1);
  EXPECT_THAT(
      refusal(tiny_model() + std::vector<std::string>{"policy=sliding_window", "budget.tokens=6",
                                                      "budget.ratio=0.5,0.2"},
              true),
      HasSubstr("'budget.ratio' is not read: budget.tokens is given instead"));
  const PointList whole =
      points_of(tiny_model() + std::vector<std::string>{"policy=full", "budget=r10,r50",
                                                        "budget.cfg_rows=separate,tied"});
  EXPECT_EQ(whole.points.size(), 1);
}

TEST(Points, WhatAPolicyCannotMeetIsRefusedOrLeftOut) {
  const std::vector<std::string> grid =
      tiny_model() + std::vector<std::string>{"policy=full,streaming_llm", "budget.tokens=2,6"};
  EXPECT_THAT(refusal(grid, true), HasSubstr("nearest feasible: budget.tokens=4"));
  const PointList list = points_of(grid + std::vector<std::string>{"infeasible=skip"});
  EXPECT_EQ(list.points.size(), 2);
  ASSERT_EQ(list.infeasible.size(), 1);
  EXPECT_THAT(list.infeasible.front(), HasSubstr("policy=streaming_llm"));
  EXPECT_THAT(list.infeasible.front(), HasSubstr("nearest feasible: budget.tokens=4"));
  EXPECT_THAT(
      refusal(tiny_model() + std::vector<std::string>{"policy=streaming_llm", "budget.tokens=2",
                                                      "infeasible=skip"}),
      HasSubstr("nearest feasible"));
}

TEST(Points, RefusesWhatTheUserGotWrong) {
  EXPECT_THAT(refusal({"policy=scalkv"}), HasSubstr("scalekv"));
  EXPECT_THAT(refusal({"gen.imges=3"}), HasSubstr("images"));
  EXPECT_THAT(refusal({"+gen.imges=3"}), HasSubstr("Did you mean 'gen.images'"));
  EXPECT_THAT(refusal({"gen.images=0"}), HasSubstr("1..10000000"));
  EXPECT_THAT(refusal({"gen.cfg=[1,2]"}), HasSubstr("'gen.cfg' has 2 values"));
  EXPECT_THAT(refusal({"budget.ratio=0"}), HasSubstr("nearest feasible"));
  EXPECT_THAT(refusal({"policy=streaming_llm", "budget.tokens=1"}), HasSubstr("nearest feasible"));
  EXPECT_THAT(refusal({"policy=snapkv", "budget.tokens=100000"}), HasSubstr("nearest feasible"));
  EXPECT_THAT(refusal({"budget.scope=heads"}), HasSubstr("'head'"));
  EXPECT_THAT(refusal({"budget.tokens=6", "budget.bytes=6KiB"}), HasSubstr("both given"));
  EXPECT_THAT(refusal({"budget.bytes=6MoB", "policy=snapkv"}), HasSubstr("MiB"));
  EXPECT_THAT(refusal({"budget.lines=3"}), HasSubstr("budget.scales"));
  EXPECT_THAT(refusal({"model.transformer.width=33"}), HasSubstr("width"));
  EXPECT_THAT(refusal({"policy=full,snapkv"}), HasSubstr("-m"));
  EXPECT_THAT(refusal({"metrics.list=[psnr,lpips]"}), HasSubstr("lpips"));
  EXPECT_THAT(refusal({"prompts=file", "prompts.file=null"}), HasSubstr("prompts.file=PATH"));
  EXPECT_THAT(refusal({"policy=snapkv", "budget.ratio=0.5,1e-9"}, true), HasSubstr("point 2 of 2"));
  EXPECT_THAT(refusal({"policy=full,h2o", "launcher=serial,processes"}, true),
              HasSubstr("one launcher makes all of them"));
}

TEST(Points, MissingFilesAreNamed) {
  for (const std::string text :
       {"model.weights=nowhere.safetensors", "model.tokenizer=none.model"}) {
    try {
      points_of(tiny_model() + std::vector<std::string>{text});
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_THAT(error.what(), HasSubstr(text.substr(text.find('=') + 1)));
    }
  }
}

struct PaperFigure {
  const char* model;
  std::vector<std::string> overrides;
  int64_t mebibytes;
};

TEST(Points, PlansOfThePapersMemoryTable) {
  const std::vector<PaperFigure> figures = {
      {"infinity_2b", {"policy=full"}, 38550},
      {"infinity_2b", {"policy=scalekv", "budget.tokens=1300"}, 7800},
      {"infinity_2b", {"policy=scalekv", "budget.tokens=650"}, 3900},
      {"infinity_2b", {"policy=scalekv", "budget.tokens=265"}, 1590},
      {"infinity_8b", {"policy=full"}, 84328},
      {"infinity_8b", {"policy=scalekv", "budget.tokens=1300"}, 17062},
      {"infinity_8b", {"policy=scalekv", "budget.tokens=650"}, 8531},
      {"infinity_8b", {"policy=scalekv", "budget.tokens=265"}, 3478}};
  for (const PaperFigure& figure : figures) {
    const PointList list =
        points_of(std::vector<std::string>{std::string("model=") + figure.model, "gen.batch=8",
                                           "model.precision=reference"} +
                      figure.overrides,
                  PointIdentity::kNone, false);
    const Point& point = list.points.front();
    const auto last = static_cast<int64_t>(point.plan.geometry().steps.size()) - 1;
    EXPECT_EQ(point.plan.live_bytes(last, point.generation.rows(8)) >> 20, figure.mebibytes)
        << figure.model << " " << figure.overrides.back();
  }
}

}  // namespace
}  // namespace kvscope
