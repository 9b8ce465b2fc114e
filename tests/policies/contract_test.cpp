// What every policy promises, run on every YAML in configs/policy without listing any.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <ostream>
#include <set>
#include <stdexcept>

#include "budgets.h"
#include "core/base/error.h"
#include "core/config/yaml.h"
#include "policy_run.h"
#include "test_paths.h"

namespace kvscope {
namespace {

const std::filesystem::path kPolicyFolder = std::filesystem::path(kSourceDir) / "configs/policy";

CacheGeometry geometry(const std::string& name) {
  const auto made = [](int64_t layers, int64_t heads, int64_t head_dim, auto steps) {
    return CacheGeometry{
        .layers = layers, .heads = heads, .head_dim = head_dim, .steps = std::move(steps)};
  };
  if (name == "oblong") {
    return made(3, 3, 8,
                next_scale_steps({{1, 1}, {2, 3}, {3, 4}, {5, 4}, {7, 5}, {6, 11}, {9, 8}}));
  }
  if (name == "square") {
    return made(5, 2, 24,
                next_scale_steps({{1, 1}, {2, 2}, {4, 4}, {6, 6}, {9, 9}, {11, 11}, {12, 12}}));
  }
  if (name == "flat") {
    return made(1, 1, 8, next_scale_steps({{1, 1}, {1, 9}, {2, 40}, {3, 30}, {3, 3}}));
  }
  if (name == "pairs" || name == "quads") {
    CacheGeometry grouped =
        name == "pairs" ? made(3, 2, 8, next_scale_steps({{1, 1}, {2, 2}, {3, 4}, {5, 4}, {6, 7}}))
                        : made(2, 2, 12, next_token_steps(6, 25));
    grouped.query_heads = (name == "pairs" ? 2 : 4) * grouped.heads;
    return grouped;
  }
  return made(2, 4, 16, next_token_steps(7, 33));
}

struct Case {
  std::string policy;
  std::string geometry;
  double ratio = 1.0;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << fmt::format("{} on {} at {:g} %", one.policy, one.geometry, 100 * one.ratio);
}

/// tests/CMakeLists.txt names the geometries too.
std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const std::string& policy : policy_names(kPolicyFolder)) {
    for (const char* name : {"oblong", "square", "flat", "tokens"}) {
      for (const double ratio : {1.0, 0.55, 0.3}) {
        cases.push_back({policy, name, ratio});
      }
    }
    // Grouped queries; what does not look at queries is the same as above.
    for (const char* name : {"pairs", "quads"}) {
      for (const double ratio : {1.0, 0.4}) cases.push_back({policy, name, ratio});
    }
  }
  return cases;
}

/// The budget that a refusal names at its end: "...; nearest feasible: budget.ratio=0.25".
Budget suggested_budget(const std::string& refusal) {
  const std::string before = "nearest feasible: budget.";
  const size_t begin = refusal.rfind(before);
  if (begin == refusal.npos) throw std::logic_error("no feasible budget in: " + refusal);
  const std::string setting = refusal.substr(begin + before.size());
  const size_t equals = setting.find('=');
  const size_t end = setting.find_first_not_of("0123456789.e-", equals + 1);
  return budget_from_config(load_yaml_text(
      fmt::format("{{{}: {}}}", setting.substr(0, equals),
                  setting.substr(equals + 1, end == setting.npos ? end : end - equals - 1)),
      "the suggestion"));
}

class PolicyContract : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const Case& param = GetParam();
    const ConfigNode config = named_policy(kPolicyFolder, param.policy);
    policy_ = make_policy(config);
    try {
      plan_ = policy_->plan(geometry(param.geometry),
                            as_in_a_sweep(config, Budget::of_ratio(param.ratio)));
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::kConfig) << error.what();
      ASSERT_LT(param.ratio, 1.0) << "the full cache must always be possible: " << error.what();
      // An impossible budget is refused before the run, with a possible one that then works.
      EXPECT_NO_THROW(policy_->plan(geometry(param.geometry), suggested_budget(error.what())))
          << error.what();
      GTEST_SKIP() << error.what();
    }
  }

  [[nodiscard]] std::vector<Decision> run(const std::vector<int64_t>& rows,
                                          const std::vector<int64_t>& head_order = {}) {
    return run_policy(*policy_, plan_, rows, head_order);
  }

  std::unique_ptr<Policy> policy_;
  Plan plan_;
};

void expect_same(const std::vector<Decision>& a, const std::vector<Decision>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].kept, b[i].kept) << "step " << a[i].step << ", layer " << a[i].layer;
  }
}

TEST_P(PolicyContract, KeepsWhatThePlanSaysAndWhatIsProtected) {
  for (const std::vector<int64_t>& rows : {std::vector<int64_t>{0}, {0, 1, 2}}) {
    const int64_t heads = plan_.geometry().heads;
    for (const Decision& decision : run(rows)) {
      SCOPED_TRACE(fmt::format("step {}, layer {}", decision.step, decision.layer));
      for (std::size_t slot = 0; slot < decision.available.size(); ++slot) {
        const int64_t available = decision.available[slot];
        const int64_t planned =
            plan_.kept(decision.step, decision.layer, static_cast<int64_t>(slot) % heads);
        const bool each_head = plan_.scope() == CountScope::kHead;
        if (!decision.kept) {
          EXPECT_TRUE(planned == available || !each_head);
          continue;
        }
        const auto& kept = (*decision.kept)[slot];
        EXPECT_GE(kept.size(), 1u);
        EXPECT_TRUE(static_cast<int64_t>(kept.size()) == planned || !each_head);
        std::vector<uint8_t> is_kept(static_cast<std::size_t>(available), 0);
        for (const int64_t index : kept) {
          ASSERT_GE(index, 0);
          ASSERT_LT(index, available);
          EXPECT_EQ(is_kept[index], 0) << "token " << index << " is kept twice";
          is_kept[index] = 1;
        }
        for (std::size_t token = 0; token < is_kept.size(); ++token) {
          EXPECT_TRUE(is_kept[token] != 0 || decision.is_protected[slot][token] == 0)
              << "token " << token << " is protected but was dropped";
        }
      }
    }
  }
}

TEST_P(PolicyContract, KeepsTheSameTokensWhereverTheyLieAndWhenLayersAreCutTogether) {
  const auto filling_holes = run({0, 1});
  expect_same(run_policy(*policy_, plan_, {0, 1}, {}, 0, EvictionTiming::kPerStep), filling_holes);
  policy_->keep_order();
  const auto in_order = run({0, 1});
  ASSERT_EQ(filling_holes.size(), in_order.size());
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    EXPECT_EQ(filling_holes[i].positions, in_order[i].positions)
        << "step " << in_order[i].step << ", layer " << in_order[i].layer;
  }
}

TEST_P(PolicyContract, ANumberThatIsNoneIsAnErrorWithItsPlaceOrNeverLookedAt) {
  const auto sound = run({0, 1});
  for (const double value : {std::nan(""), static_cast<double>(INFINITY)}) {
    try {
      const auto spoilt = run_policy(*policy_, plan_, {0, 1}, {}, value);
      // A policy of positions never sees the keys.
      expect_same(spoilt, sound);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kNumerics) << error.what();
      EXPECT_THAT(error.what(),
                  testing::AllOf(testing::HasSubstr("layer 0"), testing::HasSubstr("head")));
    }
  }
  // What was thrown in the middle of a generation leaves nothing behind.
  expect_same(run({0, 1}), sound);
}

TEST_P(PolicyContract, ANewGenerationForgetsTheLast) {
  const auto first = run({0, 1});
  expect_same(run({0, 1}), first);
}

TEST_P(PolicyContract, ARowDoesNotDependOnItsBatch) {
  const auto batch = run({2, 0, 1});
  const std::vector<int64_t> rows{2, 0, 1};
  const int64_t heads = plan_.geometry().heads;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto alone = run({rows[row]});
    ASSERT_EQ(alone.size(), batch.size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      ASSERT_EQ(alone[i].kept.has_value(), batch[i].kept.has_value());
      if (!alone[i].kept) {
        continue;
      }
      const auto begin = batch[i].kept->begin() + static_cast<int64_t>(row) * heads;
      EXPECT_EQ(*alone[i].kept, KeptIndices(begin, begin + heads))
          << "step " << alone[i].step << ", layer " << alone[i].layer << ", row " << rows[row];
    }
  }
}

TEST_P(PolicyContract, HeadsAreInterchangeable) {
  const int64_t heads = plan_.geometry().heads;
  std::vector<int64_t> order(static_cast<std::size_t>(heads));
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin(), order.begin() + 1, order.end());
  for (std::size_t step = 0; step < plan_.geometry().steps.size(); ++step) {
    for (int64_t layer = 0; layer < plan_.geometry().layers; ++layer) {
      for (int64_t head = 1; head < heads; ++head) {
        if (plan_.kept(static_cast<int64_t>(step), layer, head) !=
            plan_.kept(static_cast<int64_t>(step), layer, 0)) {
          GTEST_SKIP() << "heads differ by plan";
        }
      }
    }
  }
  const auto plain = run({0, 1});
  const auto others = run({2, 3});
  const auto same = [](const Decision& a, const Decision& b) { return a.kept == b.kept; };
  if (std::equal(plain.begin(), plain.end(), others.begin(), others.end(), same)) {
    GTEST_SKIP() << "what tokens hold decides nothing, so the number of a head may";
  }
  const auto permuted = run({0, 1}, order);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (!plain[i].kept) {
      continue;
    }
    for (std::size_t slot = 0; slot < plain[i].kept->size(); ++slot) {
      const auto row = static_cast<int64_t>(slot) / heads;
      const auto head = static_cast<int64_t>(slot) % heads;
      EXPECT_EQ((*permuted[i].kept)[slot], (*plain[i].kept)[row * heads + order[head]])
          << "step " << plain[i].step << ", layer " << plain[i].layer;
    }
  }
}

TEST_P(PolicyContract, AGroupThatAsksAlikeDecidesAsOneQueryHead) {
  const CacheGeometry grouped = plan_.geometry();
  if (grouped.query_heads == grouped.heads) GTEST_SKIP() << "no groups";
  CacheGeometry single = grouped;
  single.query_heads = single.heads;
  const Plan plan =
      policy_->plan(single, as_in_a_sweep(named_policy(kPolicyFolder, GetParam().policy),
                                          Budget::of_ratio(GetParam().ratio)));
  const auto of_one = run_policy(*policy_, plan, {0, 1});
  const auto of_group = run_policy(*policy_, plan_, {0, 1}, {}, 0, EvictionTiming::kPerLayer, true);
  ASSERT_EQ(of_one.size(), of_group.size());
  for (std::size_t i = 0; i < of_one.size(); ++i) {
    EXPECT_EQ(of_one[i].positions, of_group[i].positions)
        << "step " << of_one[i].step << ", layer " << of_one[i].layer;
  }
}

/// A full budget, in every policy and geometry.
class WholeBudget : public PolicyContract {};

TEST_P(WholeBudget, KeepsEverything) {
  for (const StepInfo& step : plan_.geometry().steps) {
    const int64_t everything = step.first_token + (step.stored ? step.queries() : 0);
    EXPECT_EQ(plan_.live_tokens(step.index),
              everything * plan_.geometry().layers * plan_.geometry().heads);
  }
  for (const Decision& decision : run({0, 1})) {
    EXPECT_FALSE(decision.kept.has_value()) << "step " << decision.step;
  }
}

std::string case_name(const testing::TestParamInfo<Case>& param_info) {
  const Case& param = param_info.param;
  return fmt::format("{}_{}_{}", param.policy, param.geometry, static_cast<int>(100 * param.ratio));
}

std::vector<Case> whole_budget_cases() {
  std::vector<Case> cases = all_cases();
  std::erase_if(cases, [](const Case& one) { return one.ratio < 1.0; });
  return cases;
}

/// A YAML in the folder that the suite does not run would promise what nobody checked.
TEST(ContractSuite, RunsEveryPolicyOfTheFolder) {
  const auto& unit = *testing::UnitTest::GetInstance();
  std::map<std::string, std::set<std::string>> promises;  // of a policy
  size_t all_promises = 0;
  for (int i = 0; i < unit.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *unit.GetTestSuite(i);
    if (std::string(suite.name()) != "EveryPolicy/PolicyContract") continue;
    std::set<std::string> names;
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const std::string full = suite.GetTestInfo(j)->name();  // "Promise/policy_geometry_30"
      const std::string promise = full.substr(0, full.find('/'));
      const std::string rest = full.substr(full.find('/') + 1);
      names.insert(promise);
      for (const auto& entry : std::filesystem::directory_iterator(kPolicyFolder)) {
        const std::string policy = entry.path().stem().string();
        if (rest.starts_with(policy + "_")) promises[policy].insert(promise);
      }
    }
    all_promises = names.size();
  }
  EXPECT_GT(all_promises, 5);
  size_t policies = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kPolicyFolder)) {
    if (entry.path().extension() != ".yaml") continue;
    ++policies;
    EXPECT_EQ(promises[entry.path().stem().string()].size(), all_promises) << entry.path();
  }
  fmt::print("contract suite: {} policies, {} cases of each of {} promises\n", policies,
             all_cases().size(), all_promises);
}

INSTANTIATE_TEST_SUITE_P(EveryPolicy,
                         WholeBudget,
                         testing::ValuesIn(whole_budget_cases()),
                         case_name);
INSTANTIATE_TEST_SUITE_P(EveryPolicy, PolicyContract, testing::ValuesIn(all_cases()), case_name);

}  // namespace
}  // namespace kvscope
