// The paper's budget equation, calibrated roles, and every size that Infinity was published for.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <set>

#include "../budgets.h"
#include "../policy_run.h"
#include "core/base/error.h"
#include "core/models/infinity/config.h"
#include "policies/profiles/drafter_roles.h"
#include "policies/profiles/drafter_selection.h"
#include "policies/profiles/profile_file.h"
#include "policies/shares/drafter_budget.h"
#include "policies/signals/observation_window.h"
#include "test_paths.h"

namespace kvscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::filesystem::path kPolicyFolder = std::filesystem::path(kSourceDir) / "configs/policy";
constexpr double kStart = 600.0 / 650.0;
constexpr double kDecay = 70.0 / 650.0;

CacheGeometry infinity_1m(int64_t layers, int64_t heads) {
  return {.layers = layers,
          .heads = heads,
          .head_dim = 128,
          .steps = next_scale_steps(infinity::published_geometry(1.0, "1M").schedule)};
}

ConfigNode paper() {
  return named_policy(kPolicyFolder, "scalekv_paper");
}

ConfigNode layers_list(int64_t count) {
  ConfigNode layers = ConfigNode::list();
  for (int64_t layer = 0; layer < count; ++layer) layers.items().emplace_back(layer);
  return layers;
}

TEST(LinearBudget, PublishedConstantsAskForWhatDoesNotExist) {
  // N_d of the released files after A-scales 8..12, and the drafters' share of the equation.
  const struct {
    int64_t layers;
    std::vector<int64_t> drafters;
    std::vector<double> requested;
    std::vector<int64_t> least_feasible;
  } models[] = {
      {32, {2, 2, 2, 2, 1}, {1400, 2450, 3500, 4550, 10880}, {5, 4, 3, 3, 2}},
      {40, {3, 3, 3, 3, 3}, {3800.0 / 3, 2130, 8980.0 / 3, 11570.0 / 3, 4720}, {7, 5, 4, 3, 3}},
  };
  const int64_t refiner[] = {600, 530, 460, 390, 320};
  const int64_t exists[] = {921, 1497, 2521, 4121, 6425};
  for (const auto& model : models) {
    for (int64_t k = 0; k < 5; ++k) {
      const int64_t tokens = linear_refiner_tokens(650, kStart, kDecay, k);
      EXPECT_EQ(tokens, refiner[k]);
      const int64_t drafters = model.drafters[k];
      const auto each = drafters_of_equation(model.layers, drafters, 650, tokens);
      const auto sum = std::accumulate(each.begin(), each.end(), int64_t{0});
      EXPECT_EQ(sum + (model.layers - drafters) * tokens, 650 * model.layers);
      EXPECT_NEAR(static_cast<double>(sum) / static_cast<double>(drafters), model.requested[k],
                  1e-9);
      EXPECT_LE(each.front() - each.back(), 1);
      int64_t least = 1;
      while (drafters_of_equation(model.layers, least, 650, tokens).front() > exists[k]) ++least;
      EXPECT_EQ(least, model.least_feasible[k]);
    }
  }
  EXPECT_EQ(linear_refiner_tokens(650, kStart, kDecay, 9), 0) << "never negative";
  EXPECT_THAT(drafters_of_equation(7, 0, 30, 20), ElementsAre());
}

TEST(LinearBudget, WhatDrafterCannotHoldGoesBackToTheRefiners) {
  for (const CacheGeometry& geometry : {infinity_1m(32, 16), infinity_1m(40, 28)}) {
    const auto policy = make_policy(paper());
    const Plan plan = policy->plan(geometry, Budget::of_tokens(650));
    const DrafterRoles roles;
    for (int64_t step = 7; step < 12; ++step) {
      EXPECT_EQ(plan.live_tokens(step), 650 * geometry.layers * geometry.heads);
      const auto drafters = roles.after(geometry, geometry.steps[step]);
      std::set<int64_t> refiners;
      for (int64_t layer = 0; layer < geometry.layers; ++layer) {
        if (!std::ranges::binary_search(drafters, layer)) {
          refiners.insert(plan.kept(step, layer, 0));
          continue;
        }
        const int64_t exists = plan.kept(step - 1, layer, 0) + geometry.steps[step].queries();
        EXPECT_LE(plan.kept(step, layer, 0), exists);
        if (geometry.layers == 32) {
          EXPECT_EQ(plan.kept(step, layer, 0), exists) << step;
        }
      }
      EXPECT_LE(*refiners.rbegin() - *refiners.begin(), 1) << "equal shares, step " << step;
    }
  }
}

TEST(LinearBudget, IsTheEquationWhereItIsFeasible) {
  ConfigNode config = paper();
  config.set_path("allocate.roles", layers_list(5));
  const auto policy = make_policy(config);
  const CacheGeometry geometry = infinity_1m(32, 16);
  const Plan plan = policy->plan(geometry, Budget::of_tokens(650));
  for (int64_t k = 0; k < 5; ++k) {
    const int64_t refiner = 600 - 70 * k;
    EXPECT_EQ(plan.kept(7 + k, 20, 3), refiner);
    EXPECT_EQ(plan.kept(7 + k, 2, 3), (650 * 32 - 27 * refiner) / 5);
  }
  EXPECT_EQ(plan.kept(6, 20, 3), 521) << "nothing is dropped below the budget";
  const auto remarks = policy->remarks(plan, 650);
  ASSERT_EQ(remarks.size(), 5u);
  EXPECT_THAT(remarks[1], HasSubstr("after step 8, for step 9 (k 1): 5 of 32 layers are drafters"));
  EXPECT_THAT(remarks[1], HasSubstr("requested 1298 / 530, planned 1298 / 530"));
}

TEST(LinearBudget, RemarksSayWhatWasRequestedAndWhatIsPlanned) {
  const auto policy = make_policy(paper());
  const Plan plan = policy->plan(infinity_1m(32, 16), Budget::of_tokens(650));
  const auto remarks = policy->remarks(plan, 650);
  ASSERT_EQ(remarks.size(), 5u);
  EXPECT_THAT(remarks[0], HasSubstr("requested 1400 / 600, planned 921 / 631..632"));
  EXPECT_THAT(remarks[4], HasSubstr("1 of 32 layers is a drafter"));
  EXPECT_THAT(remarks[4], HasSubstr("requested 10880 / 320, planned"));
  const auto released = make_policy(named_policy(kPolicyFolder, "scalekv"));
  EXPECT_THAT(
      released->remarks(released->plan(infinity_1m(32, 16), Budget::of_tokens(650)), 650)[0],
      HasSubstr("requested 920 / 632, planned 920 / 632"));
}

TEST(LinearBudget, RefinersNeverFallBelowWhatIsProtected) {
  const auto policy = make_policy(paper());
  const Plan plan = policy->plan(infinity_1m(32, 16), Budget::of_tokens(60));
  for (int64_t step = 4; step < 12; ++step) EXPECT_GE(plan.kept(step, 9, 0), 16) << step;
  EXPECT_EQ(plan.live_tokens(11), 60 * 32 * 16);
}

TEST(LinearBudget, ALineOfANextTokenModelCountsAsAScale) {
  CacheGeometry geometry{
      .layers = 4, .heads = 2, .head_dim = 8, .steps = next_token_steps(5, 64), .line_tokens = 8};
  ConfigNode config = paper();
  config.set_path("allocate.roles", layers_list(2));
  const auto policy = make_policy(config);
  const Plan plan = policy->plan(geometry, Budget::of_tokens(26));
  // The first eviction comes with the 27th token, step 22; B_r(k) = 24, 21.2, 18.4, 15.6, 12.8, but
  // the window's 16 stay.
  const int64_t refiner[] = {24, 21, 18, 16, 16};
  for (const StepInfo& step : geometry.steps) {
    const int64_t everything = step.first_token + (step.stored ? 1 : 0);
    if (step.kind != StepKind::kToken || everything <= 26) continue;
    EXPECT_EQ(plan.live_tokens(step.index), 26 * 4 * 2);
    const int64_t k = (everything - 27) / 8;
    if (!step.stored || k > 4) continue;
    const int64_t wanted = (26 * 4 - 2 * refiner[k]) / 2;
    if (plan.kept(step.index - 1, 0, 0) + 1 >= wanted) {
      EXPECT_EQ(plan.kept(step.index, 3, 1), refiner[k]) << step.index;
      EXPECT_EQ(plan.kept(step.index, 0, 1), wanted) << step.index;
    } else {
      EXPECT_EQ(plan.kept(step.index, 0, 1), plan.kept(step.index - 1, 0, 1) + 1)
          << "drafters lack tokens, not budget";
    }
  }
  EXPECT_EQ(policy->remarks(plan, 26).size(), 6u) << "one per line";
}

TEST(Threshold, SaysWhereEvictionsBegin) {
  ConfigNode config = named_policy(kPolicyFolder, "scalekv");
  const CacheGeometry geometry = infinity_1m(32, 16);
  config.set_path("allocate.threshold", 1497);
  const Plan later = make_plan(geometry, config, Budget::of_tokens(650));
  EXPECT_EQ(later.kept(8, 5, 0), 1497);
  EXPECT_LT(later.kept(9, 5, 0), 650);
  config.set_path("allocate.threshold", -1);
  EXPECT_THROW(make_policy(config), Error);
  config.set_path("allocate.threshold", "budgets");
  EXPECT_THROW(make_policy(config), Error);
}

TEST(ReleasedTable, ServesShorterSchedulesAndLaterThresholds) {
  ConfigNode config = named_policy(kPolicyFolder, "scalekv");
  config.set_path("allocate.budgets", "released_2b");
  config.set_path("allocate.threshold", 1000);
  CacheGeometry geometry = infinity_1m(32, 16);
  geometry.steps = next_scale_steps(infinity::published_geometry(1.0, "0.25M").schedule);
  geometry.steps.back().stored = true;
  const Plan plan = make_plan(geometry, config, Budget::of_tokens(650));
  EXPECT_EQ(plan.kept(7, 1, 0), 921);
  EXPECT_EQ(plan.kept(8, 1, 0), 594);
  EXPECT_EQ(plan.kept(9, 1, 0), 526);
  EXPECT_EQ(plan.kept(9, 23, 0), 2510);
  config.set_path("allocate.threshold", 300);
  EXPECT_THROW(make_plan(geometry, config, Budget::of_tokens(650)), Error);
}

TEST(Window, OnTopAddsItToEveryLayer) {
  ConfigNode config = named_policy(kPolicyFolder, "scalekv");
  config.set_path("allocate.budgets", "released_2b");  // whatever the drafters can hold
  const CacheGeometry geometry = infinity_1m(32, 16);
  const Plan inside = make_plan(geometry, config, tokens_at_evictions(650));
  config.set_path("allocate.window", "on_top");
  const Plan on_top = make_plan(geometry, config, tokens_at_evictions(650));
  for (int64_t step = 8; step < 12; ++step) {
    EXPECT_EQ(on_top.kept(step, 9, 0), inside.kept(step, 9, 0) + 16);
  }
}

/// Every published size: a window inside the scale, and a plan at 4, 10 and 20 %.
TEST(PublishedSizes, AllHaveAWindowAndAPlan) {
  for (const char* pixels : {"0.06M", "0.25M", "0.60M", "1M"}) {
    for (const double ratio : infinity::published_ratios()) {
      CacheGeometry geometry = infinity_1m(32, 16);
      geometry.steps = next_scale_steps(infinity::published_geometry(ratio, pixels).schedule);
      for (const char* name : {"scalekv", "scalekv_paper"}) {
        const auto policy = make_policy(named_policy(kPolicyFolder, name));
        for (const double share : {0.04, 0.1, 0.2}) {
          const Plan plan = policy->plan(geometry, Budget::of_ratio(share));
          const auto last = std::ssize(geometry.steps) - 2;
          const double budget =
              std::round(share * static_cast<double>(full_cache_tokens(geometry.steps)));
          EXPECT_EQ(plan.live_tokens(last), static_cast<int64_t>(budget) * 32 * 16)
              << name << " " << pixels << " " << ratio;
        }
      }
      for (const StepInfo& step : geometry.steps) {
        for (const auto centre :
             {PatchCentre::kUpperLeft, PatchCentre::kLowerRight, PatchCentre::kSpread}) {
          for (const auto& window :
               {centroid_window(step, 16, centre), square_1m_window(step, 16, centre)}) {
            ASSERT_FALSE(window.empty());
            ASSERT_TRUE(std::ranges::adjacent_find(window, std::ranges::greater_equal{}) ==
                        window.end());
            ASSERT_GE(window.front(), step.first_token);
            ASSERT_LT(window.back(), step.first_token + step.queries());
            if (step.index >= 7) {
              EXPECT_EQ(window.size(), 16u) << pixels << " " << ratio;
            }
          }
        }
      }
    }
  }
}

Profile small_roles() {
  return {.kind = ProfileKind::kRoles,
          .model = "it's \"tiny\"",
          .shape = {.layers = 3, .heads = 2, .steps = 4, .next_token = false},
          .metric = {.name = "selectivity", .parameters = {{"top_keys", 16}}},
          .source = {.prompts = 10, .record = "attention.h5", .point = "0123abcd"},
          .scales = {{.first_step = 1,
                      .last_step = 1,
                      .grid = "2x2",
                      .drafters = {2},
                      .selectivity = {0.3, 0.25, 0.1},
                      .z_score = {0.9, 0.4, -1.3}},
                     {.first_step = 2,
                      .last_step = 3,
                      .grid = "3x3",
                      .drafters = {0},
                      .selectivity = {0.1, 0.2, 0.25},
                      .z_score = {-1.2, -0.1, 1.1}}},
          .place = "r.yaml:5:8"};
}

std::filesystem::path written(const Profile& file) {
  const auto path = std::filesystem::temp_directory_path() / "kvscope-roles-test.yaml";
  write_profile(path, file);
  return path;
}

CacheGeometry small_geometry() {
  return {.layers = 3,
          .heads = 2,
          .head_dim = 4,
          .steps = next_scale_steps({{1, 1}, {2, 2}, {3, 3}, {4, 4}})};
}

TEST(RolesProfile, GivesEveryScaleItsRoles) {
  const CacheGeometry geometry = small_geometry();
  const DrafterRoles roles(small_roles());
  EXPECT_THAT(roles.after(geometry, geometry.steps[0]), ElementsAre(2));
  EXPECT_THAT(roles.after(geometry, geometry.steps[1]), ElementsAre(0));
  EXPECT_THAT(roles.after(geometry, geometry.steps[2]), ElementsAre(0));
  EXPECT_THAT(roles.after(geometry, geometry.steps[3]), ElementsAre(0)) << "no scale follows";
  // Lowest Z over all pairs: -1.3 (2, 0), -1.2 (0, 1), -0.1 (1, 1).
  const Profile three = with_drafters(small_roles(), 3);
  EXPECT_THAT(three.scales[0].drafters, ElementsAre(2));
  EXPECT_THAT(three.scales[1].drafters, ElementsAre(0, 1));
  // Mean Z: -0.15, 0.15, -0.1; one drafter a scale.
  const Profile same = same_at_every_scale(small_roles());
  EXPECT_THAT(same.scales[0].drafters, ElementsAre(0));
  EXPECT_THAT(same.scales[1].drafters, ElementsAre(0));
  EXPECT_TRUE(same_at_every_scale(with_drafters(small_roles(), 0)).scales[0].drafters.empty());
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(RolesProfile, OfAnotherModelIsRefused) {
  const DrafterRoles roles(small_roles());
  for (int change = 0; change < 3; ++change) {
    CacheGeometry other = small_geometry();
    if (change == 0) other.layers = 4;
    if (change == 1) other.heads = 3;
    if (change == 2) other.steps.pop_back();
    const std::string message = refusal([&] { (void)roles.after(other, other.steps[1]); });
    EXPECT_THAT(message,
                HasSubstr("r.yaml:5:8: made for it's \"tiny\" (3 layers x 2 heads, next_scale, 4 "
                          "steps)"));
    EXPECT_THAT(message, HasSubstr("kvscope attention roles"));
  }
}

TEST(RolesOption, ReadsPathsAndMaps) {
  const auto path = written(small_roles());
  const auto tokens = [&](const std::string& roles) {
    const auto policy =
        policy_from(fmt::format("{{allocate: {{name: drafter_refiner, roles: {}}}}}", roles));
    const Plan plan = policy->plan(small_geometry(), Budget::of_tokens(7));
    return std::vector<int64_t>{plan.kept(2, 0, 0), plan.kept(2, 1, 0), plan.kept(2, 2, 0)};
  };
  const auto map_of = [&](const char* more) {
    return fmt::format("{{file: {}{}}}", path.string(), more);
  };
  const auto by_path = tokens(path.string());
  EXPECT_GT(by_path[0], by_path[1]);
  EXPECT_EQ(by_path, tokens(map_of("")));
  EXPECT_EQ(tokens(map_of(", drafters: 0")), (std::vector<int64_t>{7, 7, 7}));
  EXPECT_THAT(refusal([&] { tokens(map_of(", drafters: 7")); }), HasSubstr("expected 0..6"));
  EXPECT_THAT(refusal([&] { tokens(map_of(", per: step")); }), HasSubstr("scale, generation"));
  EXPECT_THAT(refusal([&] { tokens("{fil: a.yaml}"); }), HasSubstr("roles.file'"));
  EXPECT_THAT(refusal([&] { tokens("none.yaml"); }), HasSubstr("policy.allocate.roles"));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace kvscope
