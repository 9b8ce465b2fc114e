#include "core/models/next_scale/sample.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/base/error.h"

namespace kvscope {
namespace {

TEST(KeepLikely, TopPDropsWhatAccumulatesToAtMostTheRest) {
  // Probabilities 0.02, 0.98: the lesser is at most 1 - 0.97 and goes; 0.04, 0.96: it stays.
  const at::Tensor probabilities = at::tensor({0.02, 0.98, 0.96, 0.04, 0.5, 0.5}).view({3, 2});
  const at::Tensor kept = keep_likely(probabilities.log().to(at::kFloat), 0, 0.97).isfinite();
  EXPECT_TRUE(at::equal(kept, at::tensor({0, 1, 1, 1, 1, 1}).view({3, 2}).to(at::kBool)));
}

TEST(KeepLikely, TopKKeepsTiesWithTheSmallestKept) {
  const at::Tensor logits = at::tensor({3.0F, 1.0F, 2.0F, 1.0F, 0.0F});
  EXPECT_EQ(keep_likely(logits, 3, 1.0).isfinite().sum().item<int64_t>(), 4);
  EXPECT_EQ(keep_likely(logits, 1, 1.0).isfinite().sum().item<int64_t>(), 1);
  EXPECT_TRUE(at::equal(keep_likely(logits, 0, 1.0), logits));
}

// Both cuts by sorting in double, one row at a time.
std::vector<bool> naive_kept(const std::vector<double>& logits, size_t top_k, double top_p) {
  const size_t classes = logits.size();
  std::vector<bool> kept(classes, true);
  std::vector<double> sorted = logits;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  if (top_k > 0 && top_k < classes) {
    for (size_t i = 0; i < classes; ++i) kept[i] = logits[i] >= sorted[top_k - 1];
  }
  std::vector<size_t> order(classes);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return logits[a] < logits[b]; });
  double total = 0;
  for (const size_t i : order) total += kept[i] ? std::exp(logits[i]) : 0.0;
  double mass = 0;
  for (const size_t i : order) {
    if (!kept[i]) continue;
    mass += std::exp(logits[i]) / total;
    if (mass <= 1 - top_p && i != order.back()) kept[i] = false;
  }
  return kept;
}

TEST(KeepLikely, CutsBySizeThenByMass) {
  const at::Tensor logits = at::randn({23, 37}, at::detail::createCPUGenerator(8)) * 3;
  for (const auto& [top_k, top_p] : {std::pair{0, 0.9}, {9, 0.8}, {9, 1.0}, {36, 0.5}, {1, 0.3}}) {
    const at::Tensor kept = keep_likely(logits, top_k, top_p).isfinite();
    for (int64_t row = 0; row < logits.size(0); ++row) {
      std::vector<double> values;
      for (int64_t i = 0; i < 37; ++i) values.push_back(logits[row][i].item<double>());
      const std::vector<bool> expected = naive_kept(values, static_cast<size_t>(top_k), top_p);
      for (int64_t i = 0; i < 37; ++i) {
        EXPECT_EQ(kept[row][i].item<bool>(), expected[static_cast<size_t>(i)])
            << "top_k " << top_k << ", top_p " << top_p << ", row " << row << ", class " << i;
      }
    }
  }
}

TEST(SampleRows, AnImageIsSampledAlikeInEveryBatch) {
  const at::Tensor probabilities =
      at::softmax(at::randn({3, 40, 11}, at::detail::createCPUGenerator(4)), -1);
  const auto sampled = [&](const at::Tensor& images, std::vector<uint64_t> seeds) {
    std::vector<at::Generator> generators;
    for (const uint64_t seed : seeds) generators.push_back(at::detail::createCPUGenerator(seed));
    return sample_rows(images, generators);
  };
  const at::Tensor together = sampled(probabilities, {5, 6, 7});
  ASSERT_EQ(together.sizes(), at::IntArrayRef({3, 40}));
  EXPECT_TRUE(at::equal(sampled(probabilities.narrow(0, 2, 1), {7})[0], together[2]));
  EXPECT_FALSE(at::equal(sampled(probabilities.narrow(0, 2, 1), {8})[0], together[2]));
}

TEST(SampleRows, FollowsTheProbabilities) {
  const at::Tensor row = at::tensor({0.0F, 0.5F, 0.125F, 0.375F});
  std::vector<at::Generator> generators = {at::detail::createCPUGenerator(11)};
  const at::Tensor sampled = sample_rows(row.expand({1, 20000, 4}).contiguous(), generators);
  const at::Tensor share = at::bincount(sampled.view({-1}), {}, 4).to(at::kDouble) / 20000;
  EXPECT_LE((share - row.to(at::kDouble)).abs().max().item<double>(), 0.02);
  EXPECT_EQ(share[0].item<double>(), 0);
}

TEST(CheckFinite, NamesTheScale) {
  at::Tensor logits = at::zeros({1, 6, 5});
  const StepInfo step{.index = 4, .grid_height = 2, .grid_width = 3};
  EXPECT_NO_THROW(check_finite(logits, step));
  logits[0][5][4] = std::numeric_limits<float>::infinity();
  try {
    check_finite(logits, step);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNumerics);
    EXPECT_THAT(error.what(), testing::HasSubstr("scale 4 (2 x 3)"));
  }
}

}  // namespace
}  // namespace kvscope
