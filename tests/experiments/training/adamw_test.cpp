#include "experiments/training/adamw.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace kvscope {
namespace {

// One parameter, gradients fixed in advance, against the update written out in double.
TEST(AdamW, MatchesTheUpdateWrittenOut) {
  TensorMap weights;
  weights.set("fc.weight", at::full({1, 1}, 0.7, at::kFloat).requires_grad_(true));
  const AdamWOptions options{
      .learning_rate = 0.1, .weight_decay = 0.05, .max_gradient_norm = 100.0};
  AdamW optimiser(weights, options);
  double weight = 0.7, first = 0, second = 0;
  const double gradients[] = {0.3, -1.2, 5.0, 0.0, 1e-6};
  for (int i = 0; i < 5; ++i) {
    at::Tensor leaf = weights.at("fc.weight");
    leaf.mutable_grad() = at::full({1, 1}, gradients[i], at::kFloat);
    EXPECT_NEAR(optimiser.step(0.5), std::abs(gradients[i]), 1e-6);
    const double rate = 0.1 * 0.5;
    weight *= 1 - rate * options.weight_decay;
    first = options.beta1 * first + (1 - options.beta1) * gradients[i];
    second = options.beta2 * second + (1 - options.beta2) * gradients[i] * gradients[i];
    const double corrected_first = first / (1 - std::pow(options.beta1, i + 1));
    const double corrected_second = second / (1 - std::pow(options.beta2, i + 1));
    weight -= rate * corrected_first / (std::sqrt(corrected_second) + options.epsilon);
    EXPECT_NEAR(leaf.item<double>(), weight, 1e-5) << "update " << i;
  }
}

TEST(AdamW, ClipsTheNormOverAllWeights) {
  TensorMap weights;
  weights.set("a.bias", at::zeros({2}).requires_grad_(true));
  weights.set("b.bias", at::zeros({1}).requires_grad_(true));
  AdamW optimiser(weights, {.max_gradient_norm = 1.0});
  for (const auto& [name, weight] : weights) {
    at::Tensor leaf = weight;
    leaf.mutable_grad() = at::full_like(leaf, 30.0);
  }
  EXPECT_NEAR(optimiser.step(1.0), 30 * std::sqrt(3.0), 1e-3);
}

TEST(AdamW, SkipsAnUpdateWhoseGradientIsNotFinite) {
  TensorMap weights;
  weights.set("a.bias", at::ones({2}).requires_grad_(true));
  AdamW optimiser(weights, {});
  at::Tensor leaf = weights.at("a.bias");
  leaf.mutable_grad() = at::full({2}, std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(std::isnan(optimiser.step(1.0)));
  EXPECT_EQ(optimiser.updates(), 0);
  EXPECT_TRUE(at::equal(leaf, at::ones({2})));
}

TEST(WarmupCosine, RisesThenFallsToTheFloor) {
  EXPECT_NEAR(warmup_cosine(0, 10, 100, 0.1), 0.1, 1e-12);
  EXPECT_NEAR(warmup_cosine(9, 10, 100, 0.1), 1.0, 1e-12);
  EXPECT_NEAR(warmup_cosine(55, 10, 100, 0.1), 0.55, 1e-12);
  EXPECT_NEAR(warmup_cosine(100, 10, 100, 0.1), 0.1, 1e-12);
  EXPECT_NEAR(warmup_cosine(5000, 10, 100, 0.1), 0.1, 1e-12);
}

}  // namespace
}  // namespace kvscope
