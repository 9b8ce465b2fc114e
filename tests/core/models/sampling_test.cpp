#include "core/models/sampling.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

namespace kvscope {
namespace {

TEST(SampleClasses, SamplesWhatMultinomialDoesFromTheSameSeed) {
  for (const auto& [rows, classes] : {std::pair<int64_t, int64_t>{1, 16384}, {77, 2}, {5, 333}}) {
    at::Generator of_logits = at::detail::createCPUGenerator(5);
    const at::Tensor probabilities = at::softmax(at::randn({rows, classes}, of_logits) * 4, -1);
    for (const uint64_t seed : {0, 1, 99}) {
      at::Generator ours = at::detail::createCPUGenerator(seed);
      at::Generator theirs = at::detail::createCPUGenerator(seed);
      for (int turn = 0; turn < 3; ++turn) {  // the streams stay together
        EXPECT_TRUE(at::equal(sample_classes(probabilities, ours),
                              at::multinomial(probabilities, 1, false, theirs).squeeze(1)));
      }
    }
  }
}

TEST(SampleClasses, AClassWithoutProbabilityIsNeverSampled) {
  at::Generator generator = at::detail::createCPUGenerator(3);
  const at::Tensor probabilities = at::tensor({0.0F, 0.25F, 0.0F, 0.75F}).repeat({4000, 1});
  const at::Tensor counts = at::bincount(sample_classes(probabilities, generator), {}, 4);
  EXPECT_EQ(counts[0].item<int64_t>(), 0);
  EXPECT_EQ(counts[2].item<int64_t>(), 0);
  EXPECT_NEAR(counts[3].item<double>() / 4000, 0.75, 0.03);
}

}  // namespace
}  // namespace kvscope
