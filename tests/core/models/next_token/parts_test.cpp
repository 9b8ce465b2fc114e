// Guidance and sampling against their definitions in double.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/models/next_token/generate.h"
#include "core/models/next_token/sample.h"
#include "core/models/shared/guidance.h"

namespace kvscope::next_token {
namespace {

TEST(Guidance, RowsAndInterval) {
  const at::Tensor rows = at::arange(6).view({6, 1});  // c0 u0 c1 u1 c2 u2
  const at::Tensor halves = halves_of_interleaved(rows);
  EXPECT_TRUE(at::equal(halves.squeeze(1), at::tensor({0, 2, 4, 1, 3, 5}, at::kLong)));
  EXPECT_TRUE(at::equal(interleaved_of_halves(halves), rows));
  EXPECT_DOUBLE_EQ(guidance_of_token(4, 0, 0), 4);
  EXPECT_DOUBLE_EQ(guidance_of_token(4, 1, 0), 4);
  EXPECT_DOUBLE_EQ(guidance_of_token(4, 2, 0), 1);
  EXPECT_DOUBLE_EQ(guidance_of_token(4, 500, -1), 4);
  EXPECT_TRUE(guided({1, 2}));
  EXPECT_FALSE(guided({1}));
  EXPECT_THROW(per_step({1, 2}, 3, "gen.cfg"), Error);
}

// What may be sampled, from the definition, over sorted copies.
std::vector<bool> naive_kept(std::vector<double> logits, const Sampling& sampling) {
  for (double& value : logits) value /= std::max(sampling.temperature, 1e-5);
  std::vector<double> sorted = logits;
  std::ranges::sort(sorted, std::greater<>());
  std::vector<bool> kept(logits.size(), true);
  if (sampling.top_k > 0) {
    const double least =
        sorted[static_cast<size_t>(std::min<int64_t>(sampling.top_k, std::ssize(sorted)) - 1)];
    for (size_t i = 0; i < kept.size(); ++i) kept[i] = logits[i] >= least;
  }
  if (sampling.top_p > 0 && sampling.top_p < 1) {
    std::vector<size_t> order;
    double total = 0;
    for (size_t i = 0; i < kept.size(); ++i) {
      if (!kept[i]) continue;
      order.push_back(i);
      total += std::exp(logits[i]);
    }
    std::ranges::sort(order, [&](size_t a, size_t b) { return logits[a] > logits[b]; });
    double before = 0;
    for (const size_t i : order) {
      if (before > sampling.top_p) kept[i] = false;
      before += std::exp(logits[i]) / total;
    }
  }
  return kept;
}

TEST(Sampling, KeepsWhatTheDefinitionKeeps) {
  at::Generator generator = at::detail::createCPUGenerator(11);
  for (const Sampling& sampling :
       {Sampling{.temperature = 0.7, .top_k = 5}, Sampling{.top_k = 1}, Sampling{.top_k = 100},
        Sampling{.temperature = 1.3, .top_p = 0.8}, Sampling{.top_p = 0.01},
        Sampling{.temperature = 0.5, .top_k = 9, .top_p = 0.6}, Sampling{}}) {
    const at::Tensor logits = at::randn({4, 23}, generator) * 3;
    const at::Tensor kept = keep_likely(logits, sampling);
    for (int64_t row = 0; row < 4; ++row) {
      const auto* first = logits[row].const_data_ptr<float>();
      const std::vector<bool> expected = naive_kept({first, first + 23}, sampling);
      for (int64_t i = 0; i < 23; ++i) {
        EXPECT_EQ(!kept[row][i].isinf().item<bool>(), expected[static_cast<size_t>(i)])
            << row << " " << i;
      }
    }
  }
}

TEST(Sampling, TiesOfTheLastPlaceStay) {
  const at::Tensor kept = keep_likely(at::tensor({1.0F, 3.0F, 2.0F, 2.0F, 0.0F}), {.top_k = 2});
  EXPECT_TRUE(at::equal(kept.isinf(), at::tensor({1, 0, 0, 0, 1}, at::kInt).to(at::kBool)));
}

TEST(Sampling, GreedyTakesTheLargestAndGeneratorsBelongToImages) {
  const at::Tensor logits = at::randn({3, 40}, at::detail::createCPUGenerator(2));
  EXPECT_TRUE(at::equal(sample_tokens(logits, {.greedy = true}, {}), logits.argmax(-1)));
  const auto sampled = [&](const at::Tensor& rows, std::vector<uint64_t> seeds) {
    std::vector<at::Generator> generators;
    for (const uint64_t seed : seeds) {
      generators.push_back(at::detail::createCPUGenerator(seed));
    }
    return sample_tokens(rows, {}, generators);
  };
  const at::Tensor all = sampled(logits, {7, 8, 9});
  EXPECT_EQ(sampled(logits.narrow(0, 2, 1), {9}).item<int64_t>(), all[2].item<int64_t>());
}

TEST(Sampling, FollowsTheProbabilities) {
  const at::Tensor logits = at::tensor({0.0F, 1.0F, -30.0F, 2.0F}).unsqueeze(0);
  std::vector<at::Generator> generators = {at::detail::createCPUGenerator(4)};
  std::vector<int> counts(4, 0);
  constexpr int kSamples = 4000;
  for (int i = 0; i < kSamples; ++i) {
    ++counts[static_cast<size_t>(sample_tokens(logits, {}, generators).item<int64_t>())];
  }
  const at::Tensor p = at::softmax(logits[0].to(at::kDouble), -1);
  for (int64_t i = 0; i < 4; ++i) {
    const double expected = p[i].item<double>();
    EXPECT_NEAR(counts[static_cast<size_t>(i)] / static_cast<double>(kSamples), expected,
                5 * std::sqrt(expected / kSamples) + 1e-12);
  }
}

}  // namespace
}  // namespace kvscope::next_token
