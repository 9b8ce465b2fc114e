#include "core/models/infinity/sample.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <cmath>

namespace kvscope::infinity {
namespace {

TEST(SampleBits, SamplesEachImageFromItsOwnGenerator) {
  const at::Tensor logits = at::randn({3, 5, 14}, at::detail::createCPUGenerator(3));
  const auto sampled = [&](const at::Tensor& rows, std::vector<uint64_t> seeds) {
    std::vector<at::Generator> generators;
    for (const uint64_t seed : seeds) generators.push_back(at::detail::createCPUGenerator(seed));
    return sample_bits(rows, 900, 0.97, generators);
  };
  const at::Tensor batch = sampled(logits, {7, 8, 9});
  EXPECT_EQ(batch.sizes(), (std::vector<int64_t>{3, 5, 7}));
  EXPECT_TRUE(at::equal(batch[1], sampled(logits.narrow(0, 1, 1), {8})[0]));
  EXPECT_TRUE(at::equal(batch[2], sampled(logits.narrow(0, 2, 1), {9})[0]));
}

TEST(SampleBits, FollowsTheProbabilities) {
  const at::Tensor pair = at::tensor({std::log(0.25F), std::log(0.75F)});
  const at::Tensor logits = pair.repeat({1, 4000, 1});
  std::vector<at::Generator> generators = {at::detail::createCPUGenerator(1)};
  const double share =
      sample_bits(logits, 0, 0.97, generators).to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(share, 0.75, 0.03);
  const at::Tensor sure = at::tensor({std::log(0.01F), std::log(0.99F)}).repeat({1, 4000, 1});
  EXPECT_TRUE(sample_bits(sure, 0, 0.97, generators).all().item<bool>());
}

}  // namespace
}  // namespace kvscope::infinity
