// Under grouped-query attention a head's score is the sum, or the mean, of what each query head
// that reads it would have given alone.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <memory>
#include <ostream>

#include "attention_oracle.h"

namespace kvscope {

MakeComponent<Score> make_score_accumulated_attention;
MakeComponent<Score> make_score_cake;
MakeComponent<Score> make_score_centroid_window;
MakeComponent<Score> make_score_expected_attention;
MakeComponent<Score> make_score_last_query;
MakeComponent<Score> make_score_line_attention;
MakeComponent<Score> make_score_redundancy;
MakeComponent<Score> make_score_spatial_semantic;
MakeComponent<Score> make_score_window_attention;

namespace {

constexpr int64_t kGroup = 3;

struct Part {
  const char* text;
  MakeComponent<Score>* make;
  bool is_mean;
};

void PrintTo(const Part& part, std::ostream* out) {
  *out << part.text;
}

Plan with_groups(const Plan& plan) {
  CacheGeometry geometry = plan.geometry();
  geometry.query_heads = kGroup * geometry.heads;
  std::vector<LayerHeadTokens> kept;
  for (const StepInfo& step : geometry.steps) {
    kept.emplace_back(1, geometry.heads, 0);
    for (int64_t head = 0; head < geometry.heads; ++head) {
      kept.back()[0][head] = plan.kept(step.index, 0, head);
    }
  }
  return {geometry, kept};
}

/// A step's tensors of the `member`-th query head of every group.
struct MemberStep {
  at::Tensor q, lse, query_weight;

  MemberStep(const LayerStep& whole, int64_t member)
      : q(of(whole.q, member)),
        lse(of(whole.lse, member)),
        query_weight(whole.query_weight.unflatten(0, {whole.k.size(1), kGroup, -1})
                         .select(1, member)
                         .flatten(0, 1)) {}
  [[nodiscard]] LayerStep step(const LayerStep& whole) const {
    LayerStep step = whole;
    step.q = q;
    step.lse = lse;
    step.query_weight = query_weight;
    return step;
  }

 private:
  static at::Tensor of(const at::Tensor& x, int64_t member) {
    return x.unflatten(1, {-1, kGroup}).select(2, member);
  }
};

void expect_combined(const Part& part, const Plan& plan, const std::vector<int64_t>& padding) {
  const std::unique_ptr<Score> whole = made_component<Score>(part.make, part.text);
  std::vector<std::unique_ptr<Score>> members;
  for (int64_t member = 0; member < kGroup; ++member) {
    members.push_back(made_component<Score>(part.make, part.text));
    members.back()->begin_generation(std::ssize(padding));
  }
  int64_t compared = 0;
  const auto check = [&](const LayerStep& layer_step) {
    const at::Tensor got = whole->score(layer_step).to(at::kDouble);
    at::Tensor expected = at::zeros_like(got);
    for (int64_t member = 0; member < kGroup; ++member) {
      const MemberStep own(layer_step, member);
      const auto at = static_cast<size_t>(member);
      members[at]->observe(own.step(layer_step));
      expected += members[at]->score(own.step(layer_step)).to(at::kDouble);
    }
    if (part.is_mean) expected /= kGroup;
    for (int64_t row = 0; row < got.size(0); ++row) {
      for (int64_t head = 0; head < got.size(1); ++head) {
        const int64_t tokens = tokens_held(layer_step, row, head);
        const int64_t unseen = layer_step.cache->padding_length(0, row, head) +
                               layer_step.cache->padding_of_step(layer_step.step, row);
        const auto seen = [&](const at::Tensor& x) {
          return x[row][head].slice(0, unseen, tokens);
        };
        EXPECT_TRUE(at::allclose(seen(got), seen(expected), 1e-4, 1e-5))
            << "step " << layer_step.step.index << ", row " << row << ", head " << head << "\n"
            << seen(got) << seen(expected);
        compared += tokens;
      }
    }
  };
  const auto settle = [&](const LayerStep& layer_step, const KeptIndices& kept) {
    for (int64_t member = 0; member < kGroup; ++member) {
      const MemberStep own(layer_step, member);
      members[static_cast<size_t>(member)]->settle(own.step(layer_step), &kept);
    }
  };
  RandomEvictions controller(*whole, check, settle);
  run_evictions(controller, plan, {4, 9}, padding);
  EXPECT_GT(compared, 100);
}

class GroupedQueries : public testing::TestWithParam<Part> {};

TEST_P(GroupedQueries, OfScalesCombine) {
  expect_combined(GetParam(), with_groups(ragged_scales()), {0, 0});
}

TEST_P(GroupedQueries, OfTokensBehindPaddingCombine) {
  expect_combined(GetParam(), with_groups(ragged_tokens()), {0, 2});
}

INSTANTIATE_TEST_SUITE_P(
    Parts,
    GroupedQueries,
    testing::Values(
        Part{"{name: window_attention, window: 4, kernel: 3}", make_score_window_attention, true},
        Part{"{name: cake, window: 4, kernel: 3}", make_score_cake, true},
        Part{"{name: redundancy, window: 3, kernel: 1}", make_score_redundancy, true},
        Part{"{name: accumulated_attention}", make_score_accumulated_attention, false},
        Part{"{name: accumulated_attention, reduce: mean}", make_score_accumulated_attention, true},
        Part{"{name: spatial_semantic}", make_score_spatial_semantic, false},
        Part{"{name: line_attention}", make_score_line_attention, false},
        Part{"{name: last_query}", make_score_last_query, true},
        Part{"{name: last_query, queries: last}", make_score_last_query, true},
        Part{"{name: expected_attention, sinks: 0}", make_score_expected_attention, true},
        Part{"{name: centroid_window, window: 4, pool: average}", make_score_centroid_window,
             false},
        Part{"{name: centroid_window, window: 4, pool: average, query: used, softmax: all}",
             make_score_centroid_window, false}));

}  // namespace
}  // namespace kvscope
