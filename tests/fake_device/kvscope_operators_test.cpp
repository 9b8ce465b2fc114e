// kvscope's own operators take tensors on the fake device, and training works there.
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/device/inference_guard.h"
#include "kernels/attention/attention.h"
#include "kernels/attention_rows/attention_rows.h"
#include "kernels/column_sum/column_sum.h"
#include "kernels/compaction/compaction.h"
#include "kernels/quantise/quantise.h"
#include "tests/fake_device/fake_device.h"
#include "tests/support/ragged_case.h"

namespace kvscope {
namespace {

RaggedCase small_case(int64_t group = 1) {
  RaggedCase ragged{
      .rows = 2, .heads = 2, .group = group, .queries = 5, .tokens = 5, .head_dim = 12};
  ragged.length = {0, 4, 7, 1};
  ragged.key_type = at::kBFloat16;
  ragged.fill();
  return ragged;
}

RaggedCase on_fake_device(RaggedCase ragged) {
  for (at::Tensor* tensor :
       {&ragged.q, &ragged.k, &ragged.v, &ragged.arena_keys, &ragged.arena_values}) {
    *tensor = tensor->to(open_fake_device());
  }
  return ragged;
}

void expect_same(const at::Tensor& given, const at::Tensor& expected) {
  EXPECT_TRUE(given.is_privateuseone());
  EXPECT_TRUE(at::equal(given.cpu().nan_to_num(-7), expected.nan_to_num(-7)));
}

TEST(KvscopeOperators, ReadRaggedHistories) {
  const std::vector<int64_t> window{4, 1};
  for (const auto& [causal, group] :
       {std::pair<bool, int64_t>{false, 1}, {true, 1}, {false, 4}, {true, 2}}) {
    const RaggedCase here = small_case(group);
    const RaggedCase there = on_fake_device(here);
    const AttentionResult expected =
        ragged_attention(here.q, here.history(), here.k, here.v, 0.3, causal);
    const AttentionResult given =
        ragged_attention(there.q, there.history(), there.k, there.v, 0.3, causal);
    expect_same(given.out, expected.out);
    EXPECT_EQ(given.out.strides(), expected.out.strides());
    expect_same(given.lse, expected.lse);
    expect_same(column_sum(there.q, given.lse, there.history(), there.k, 0.3, causal),
                column_sum(here.q, expected.lse, here.history(), here.k, 0.3, causal));
    expect_same(attention_rows(there.q, given.lse, there.history(), there.k, 0.3, window, causal),
                attention_rows(here.q, expected.lse, here.history(), here.k, 0.3, window, causal));
    expect_same(score_rows(there.q, there.history(), there.k, 0.3, window, causal),
                score_rows(here.q, here.history(), here.k, 0.3, window, causal));
  }
}

TEST(KvscopeOperators, WriteArenasInPlace) {
  const InferenceGuard guard;
  const RaggedCase here = small_case();
  const RaggedCase there = on_fake_device(here);
  for (const RaggedCase* ragged : {&here, &there}) {
    append_rows(ragged->history(), ragged->k, ragged->v);
  }
  expect_same(there.arena_keys, here.arena_keys);
  expect_same(there.arena_values, here.arena_values);

  const std::vector<int64_t> kept{1, 3, 0, 2, 5, 8, 6, 11};
  const std::vector<int64_t> kept_begin{0, 2, 5, 8, 8};
  for (const RaggedCase* ragged : {&here, &there}) {
    compact_rows(ragged->history(), ragged->k, ragged->v, kept, kept_begin);
  }
  expect_same(there.arena_keys, here.arena_keys);
  expect_same(there.arena_values, here.arena_values);
}

TEST(KvscopeOperators, QuantiseAndBack) {
  const at::Tensor x = at::randn({3, 5, 40});
  const std::vector<int64_t> source{2, 0};
  const std::vector<int64_t> target{0, 1};
  std::vector<PackedLines> packed;
  std::vector<at::Tensor> back;
  for (const at::Device device : {at::Device(at::kCPU), open_fake_device()}) {
    const at::TensorOptions options(device);
    packed.push_back({.codes = at::zeros({2, 5, code_words(40, 4)}, options.dtype(at::kInt)),
                      .scale = at::zeros({2, 5, group_count(40, 16)}, options),
                      .minimum = at::zeros({2, 5, group_count(40, 16)}, options),
                      .bits = 4,
                      .group = 16});
    EXPECT_TRUE(quantise(x.to(device), source, packed.back(), target).all().item<bool>());
    back.push_back(at::zeros({3, 5, 40}, options));
    dequantise(packed.back(), target, back.back(), source);
  }
  expect_same(packed[1].codes, packed[0].codes);
  expect_same(packed[1].scale, packed[0].scale);
  expect_same(packed[1].minimum, packed[0].minimum);
  expect_same(back[1], back[0]);
}

TEST(KvscopeOperators, RefuseAnArenaOnTheCpu) {
  const RaggedCase here = small_case();
  const RaggedCase there = on_fake_device(here);
  // Asked by the dispatcher's name: the functions of kernels/ check what they can before.
  const auto op = c10::Dispatcher::singleton().findSchemaOrThrow("kvscope::append_rows", "");
  torch::jit::Stack stack{here.arena_keys, there.arena_values, here.begin, here.length, there.k,
                          there.v};
  try {
    op.callBoxed(stack);
    ADD_FAILURE() << "took a CPU arena";
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what_without_backtrace(),
                ::testing::HasSubstr("argument 1 (keys) of kvscope::append_rows is on cpu"));
  }
}

/// Loss, gradients and updated weights of one step of a small network.
std::vector<at::Tensor> training_step(const std::vector<at::Tensor>& weights,
                                      const at::Tensor& image) {
  std::vector<at::Tensor> leaves, first, second, steps, gradients;
  for (const at::Tensor& weight : weights) {
    leaves.push_back(weight.clone().requires_grad_());
    first.push_back(at::zeros_like(weight));
    second.push_back(at::zeros_like(weight));
    steps.push_back(at::ones({}, image.options()));
  }
  const at::Tensor features = at::conv2d(image, leaves[0], {}, 2).flatten(2).transpose(1, 2);
  const at::Tensor logits =
      at::linear(at::gelu(at::layer_norm(features, {6}, leaves[1])), leaves[2]);
  const at::Tensor classes =
      at::arange(logits.numel() / 5, image.options().dtype(at::kLong)).remainder(5);
  const at::Tensor loss = at::cross_entropy_loss(logits.view({-1, 5}), classes);
  loss.backward();

  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> results{loss};
  for (const at::Tensor& leaf : leaves) gradients.push_back(leaf.grad());
  results.push_back(at::stack(at::_foreach_norm(gradients, 2)).norm());
  at::_fused_adamw_(leaves, gradients, first, second, {}, steps, 1e-2, 0.9, 0.99, 0.01, 1e-8, false,
                    false);
  for (const auto& group : {gradients, leaves, first}) {
    results.insert(results.end(), group.begin(), group.end());
  }
  return results;
}

TEST(FakeDeviceTraining, AStepGivesTheCpusGradientsAndWeights) {
  const std::vector<at::Tensor> weights{at::randn({6, 3, 3, 3}), at::ones({6}), at::randn({5, 6})};
  const at::Tensor image = at::randn({2, 3, 9, 9});
  const at::Device device = open_fake_device();
  std::vector<at::Tensor> moved;
  for (const at::Tensor& weight : weights) moved.push_back(weight.to(device));
  const std::vector<at::Tensor> expected = training_step(weights, image);
  const std::vector<at::Tensor> given = training_step(moved, image.to(device));
  for (size_t i = 0; i < given.size(); ++i) {
    EXPECT_TRUE(given[i].is_privateuseone());
    EXPECT_TRUE(given[i].cpu().allclose(expected[i], 1e-6, 1e-7)) << i;
  }
}

}  // namespace
}  // namespace kvscope
