// linear_layer() against at::linear of the library in fp32, and against the time in which this
// machine's memory gives the weights. Rows 2: an image with guidance; 16: eight of them.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <immintrin.h>

#include <vector>

#include "kernels/linear/linear.h"
#include "kernels/ragged/bench_case.h"

namespace kvscope {
namespace {

/// Seconds in which all threads read `bytes`, from memory rather than a cache.
double read_seconds(int64_t bytes) {
  static const at::Tensor memory = at::zeros({int64_t{1} << 26});  // 256 MiB of fp32
  const auto* from = memory.const_data_ptr<float>();
  const double seconds = fastest_seconds([&] {
    at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t first, int64_t last) {
      const int64_t share = memory.numel() / at::get_num_threads();
      __m256 sums[4] = {};
      for (int64_t i = first * share; i + 32 <= last * share; i += 32) {
        for (int64_t j = 0; j < 4; ++j) {
          sums[j] = _mm256_add_ps(sums[j], _mm256_loadu_ps(from + i + 8 * j));
        }
      }
      benchmark::DoNotOptimize(sums);
    });
  });
  return seconds * static_cast<double>(bytes) / static_cast<double>(memory.nbytes());
}

void linear_bench(benchmark::State& state) {
  const int64_t rows = state.range(0);
  const int64_t out = state.range(1);
  const int64_t in = state.range(2);
  const at::Tensor x = at::randn({rows, in});
  // Enough of them that none is still in a cache when its turn comes.
  const int64_t count = std::max<int64_t>(2, (int64_t{1} << 26) / (out * in));
  std::vector<at::Tensor> wide;
  std::vector<at::Tensor> narrow;
  for (int64_t i = 0; i < count; ++i) {
    wide.push_back(at::randn({out, in}));
    narrow.push_back(wide.back().to(at::kBFloat16));
  }
  const auto seconds = [&](const std::vector<at::Tensor>& weights, const auto& multiply) {
    return fastest_seconds([&] {
             for (const at::Tensor& weight : weights) benchmark::DoNotOptimize(multiply(weight));
           }) /
           static_cast<double>(count);
  };
  const double library = seconds(wide, [&](const at::Tensor& w) { return at::linear(x, w); });
  const double single = seconds(wide, [&](const at::Tensor& w) { return linear_layer(x, w); });
  const double half = seconds(narrow, [&](const at::Tensor& w) { return linear_layer(x, w); });
  for (auto _ : state) benchmark::DoNotOptimize(linear_layer(x, wide.front()));
  state.counters["library_us"] = library * 1e6;
  state.counters["fp32_us"] = single * 1e6;
  state.counters["bf16_us"] = half * 1e6;
  state.counters["library/fp32"] = library / single;
  state.counters["library/bf16"] = library / half;
  state.counters["read/fp32"] = read_seconds(4 * out * in) / single;
  state.counters["read/bf16"] = read_seconds(2 * out * in) / half;
}
BENCHMARK(linear_bench)
    ->ArgNames({"rows", "out", "in"})
    ->ArgsProduct({{1, 2, 4, 8, 16, 32}, {5632}, {2048}})
    ->ArgsProduct({{2, 16}, {2048}, {2048, 5632}})
    ->ArgsProduct({{2, 16}, {768, 2048}, {768}})
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace kvscope

BENCHMARK_MAIN();
