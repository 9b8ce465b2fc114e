// Every ragged op through the dispatcher, on a GPU against the CPU. Skips where no GPU is; the
// kernels' arithmetic is tested everywhere by tests/kernels/cuda.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/device/device.h"
#include "kernels/attention/attention.h"
#include "kernels/attention_rows/attention_rows.h"
#include "kernels/column_sum/column_sum.h"
#include "kernels/compaction/compaction.h"
#include "kernels/quantise/quantise.h"
#include "tests/support/ragged_case.h"

namespace kvscope {
namespace {

class CudaOps : public testing::Test {
 protected:
  void SetUp() override {
    if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
    const at::Device gpu = open_device("cuda");
    cpu_.length = {0, 77, 1, 300, 16, 513};
    cpu_.fill();
    gpu_ = cpu_;
    for (at::Tensor* tensor : {&gpu_.q, &gpu_.k, &gpu_.v, &gpu_.arena_keys, &gpu_.arena_values}) {
      *tensor = tensor->to(gpu);
    }
  }

  RaggedCase cpu_{.queries = 70, .tokens = 70, .spike = 3};
  RaggedCase gpu_;
  double scale_ = 0.2;
};

TEST_F(CudaOps, AttentionMatchesTheCpu) {
  for (const bool causal : {false, true}) {
    const auto a = ragged_attention(cpu_.q, cpu_.history(), cpu_.k, cpu_.v, scale_, causal);
    const auto b = ragged_attention(gpu_.q, gpu_.history(), gpu_.k, gpu_.v, scale_, causal);
    EXPECT_LT(largest_difference(b.out.cpu(), a.out), 1e-4);
    EXPECT_LT(largest_difference(b.lse.cpu(), a.lse), 1e-4);
  }
}

TEST_F(CudaOps, StatisticsMatchTheCpu) {
  const std::vector<int64_t> indices = {69, 0, 31};
  const at::Tensor lse = ragged_attention(cpu_.q, cpu_.history(), cpu_.k, cpu_.v, scale_).lse;
  const at::Tensor gpu_lse = lse.to(gpu_.q.device());
  EXPECT_LT(largest_difference(column_sum(gpu_.q, gpu_lse, gpu_.history(), gpu_.k, scale_).cpu(),
                               column_sum(cpu_.q, lse, cpu_.history(), cpu_.k, scale_)),
            1e-4);
  EXPECT_LT(largest_difference(
                attention_rows(gpu_.q, gpu_lse, gpu_.history(), gpu_.k, scale_, indices).cpu(),
                attention_rows(cpu_.q, lse, cpu_.history(), cpu_.k, scale_, indices)),
            1e-4);
}

TEST_F(CudaOps, CompactionMatchesTheCpu) {
  std::vector<int64_t> kept;
  std::vector<int64_t> kept_begin{0};
  for (const int64_t length : cpu_.length) {
    for (int64_t j = 1; j < length + cpu_.tokens; j += 2) kept.push_back(j);
    kept_begin.push_back(static_cast<int64_t>(kept.size()));
  }
  for (const RaggedCase* c : {&cpu_, &gpu_}) {
    append_rows(c->history(), c->k, c->v);
    compact_rows(c->history(), c->k, c->v, kept, kept_begin);
  }
  // Bit patterns, so that the poison of rows that no slot owns compares too.
  EXPECT_TRUE(at::equal(gpu_.arena_keys.cpu().view(at::kInt), cpu_.arena_keys.view(at::kInt)));
  EXPECT_TRUE(at::equal(gpu_.arena_values.cpu().view(at::kInt), cpu_.arena_values.view(at::kInt)));
}

TEST_F(CudaOps, QuantiseMatchesTheCpuBitForBit) {
  const at::Tensor rows = at::randn({320, 40});
  const std::vector<int64_t> source{0, 32, 96, 256};
  const std::vector<int64_t> target{3, 0, 1, 2};
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const auto run = [&](at::Device device) {
      const at::Tensor x = rows.to(type).to(device).unfold(0, 32, 1);  // keys, 32 tokens a group
      const at::Tensor scale = at::zeros({4, 40, 1}, x.options());
      const PackedLines lines{.codes = at::zeros({4, 40, 4}, x.options().dtype(at::kInt)),
                              .scale = scale,
                              .minimum = at::zeros_like(scale),
                              .bits = 4,
                              .group = 32};
      const at::Tensor finite = quantise(x, source, lines, target);
      const at::Tensor back = at::zeros({4, 40, 32}, x.options());
      dequantise(lines, target, back, std::vector<int64_t>{0, 1, 2, 3});
      return std::vector<at::Tensor>{finite.cpu(), lines.codes.cpu(), lines.scale.cpu(),
                                     lines.minimum.cpu(), back.cpu()};
    };
    const auto cpu = run(at::kCPU);
    const auto gpu = run(gpu_.q.device());
    for (size_t i = 0; i < cpu.size(); ++i) EXPECT_TRUE(at::equal(cpu[i], gpu[i])) << i;
  }
}

}  // namespace
}  // namespace kvscope
