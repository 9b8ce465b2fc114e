// The CUDA kernels of quantisation, run on CPU threads, against the CPU op, which has an oracle of
// its own.
#include <gtest/gtest.h>

#if __has_include(<cuda_runtime_api.h>)

#include <ATen/ATen.h>

#include "tests/support/cuda_emulation.h"
// The emulation comes first: the kernels use its threadIdx.
#include "kernels/quantise/device_lines.h"
#include "kernels/quantise/quantise.cuh"
#include "kernels/quantise/quantise.h"
#include "tests/support/cuda_case.h"

namespace kvscope {
namespace {

PackedLines empty_lines(const at::Tensor& x, int64_t bits, int64_t group) {
  const int64_t groups = group_count(x.size(2), group);
  return {.codes = at::zeros({x.size(0), x.size(1), code_words(x.size(2), bits)}, at::kInt),
          .scale = at::zeros({x.size(0), x.size(1), groups}, x.options()),
          .minimum = at::zeros({x.size(0), x.size(1), groups}, x.options()),
          .bits = bits,
          .group = group};
}

TEST(QuantiseCuda, QuantiseAndBackMatchTheCpuBitForBit) {
  const std::vector<int64_t> source{4, 0, 3};
  const std::vector<int64_t> target{1, 2, 0};
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    for (const auto& [bits, group] :
         {std::pair<int64_t, int64_t>{2, 16}, {4, 7}, {8, 32}, {2, 45}}) {
      for (const bool side_by_side : {false, true}) {
        at::Tensor x = at::randn({5, 45, 3});  // keys: channels adjacent
        x = (side_by_side ? x.transpose(1, 2) : x.transpose(1, 2).contiguous()).to(type);
        x[3][1].fill_(0.7);
        x[0][2][7] = NAN;
        const PackedLines expected = empty_lines(x, bits, group);
        const at::Tensor finite = quantise(x, source, expected, target);
        const PackedLines got = empty_lines(x, bits, group);
        at::Tensor got_finite = at::ones({3}, at::kBool);
        QuantiseArguments arguments{.x = device_lines(x),
                                    .codes = device_lines(got.codes),
                                    .scale = device_lines(got.scale),
                                    .minimum = device_lines(got.minimum),
                                    .source = source.data(),
                                    .target = target.data(),
                                    .items = 3,
                                    .lanes = x.size(1),
                                    .elements = x.size(2),
                                    .group = group,
                                    .bits = static_cast<int>(bits)};
        emulate(dim3(quantise_blocks(arguments)), kQuantiseThreads,
                [&] { quantise_kernel(arguments, got_finite.data_ptr<bool>()); });
        EXPECT_TRUE(at::equal(got_finite, finite));
        EXPECT_TRUE(at::equal(finite, at::tensor({1, 0, 1}, at::kInt).to(at::kBool)));
        // The line with NaN aside, whose minimum nobody reads.
        const at::Tensor read = at::tensor({0, 1}, at::kLong);
        EXPECT_TRUE(at::equal(got.codes, expected.codes));
        EXPECT_TRUE(
            at::equal(got.scale.index_select(0, read), expected.scale.index_select(0, read)));
        EXPECT_TRUE(
            at::equal(got.minimum.index_select(0, read), expected.minimum.index_select(0, read)));

        const at::Tensor back = at::zeros_like(x);
        const at::Tensor expected_back = at::zeros_like(x);
        arguments.x = device_lines(back);
        arguments.codes = device_lines(expected.codes);
        arguments.scale = device_lines(expected.scale);
        arguments.minimum = device_lines(expected.minimum);
        arguments.source = target.data();
        arguments.target = source.data();
        emulate(dim3(quantise_blocks(arguments)), kQuantiseThreads,
                [&] { dequantise_kernel(arguments); });
        dequantise(expected, target, expected_back, source);
        EXPECT_TRUE(at::equal(back.nan_to_num(), expected_back.nan_to_num()));
      }
    }
  }
}

}  // namespace
}  // namespace kvscope

#else

TEST(QuantiseCuda, MatchesTheCpu) {
  GTEST_SKIP() << "no CUDA headers on this machine";
}

#endif
