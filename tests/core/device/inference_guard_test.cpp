#include "core/device/inference_guard.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace kvscope {
namespace {

TEST(InferenceGuard, RecordsNothingAndOnlyWhileItLives) {
  const at::Tensor weight = at::ones({3}).set_requires_grad(true);
  at::Tensor inside;
  {
    const InferenceGuard inference;
    inside = (weight * 2).narrow(0, 1, 2);
    EXPECT_FALSE(inside.requires_grad());
    EXPECT_TRUE(weight.requires_grad());
  }
  EXPECT_TRUE((weight * 2).requires_grad());
  // Ordinary tensors: unlike those of c10::InferenceMode they may be changed and trained on.
  inside.add_(1);
  EXPECT_EQ(inside[0].item<float>(), 3);
  const at::Tensor product = weight.narrow(0, 0, 2) * inside;
  EXPECT_TRUE(product.requires_grad());
  EXPECT_FALSE(inside.is_inference());
}

}  // namespace
}  // namespace kvscope
