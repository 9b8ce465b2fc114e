// ragged_attention() against LibTorch's dense flash attention over the concatenated keys.
#include <benchmark/benchmark.h>

#include "kernels/attention/attention.h"
#include "kernels/ragged/bench_case.h"

namespace kvscope {
namespace {

void attention(benchmark::State& state) {
  const BenchCase c(state);
  const at::Tensor k = c.dense(c.keys, c.k);
  const at::Tensor v = c.dense(c.values, c.v);
  const double dense_seconds = fastest_seconds([&] {
    benchmark::DoNotOptimize(
        at::_scaled_dot_product_flash_attention_for_cpu(c.q, k, v, 0.0, false, std::nullopt, 0.1));
  });
  const auto run = [&] {
    benchmark::DoNotOptimize(ragged_attention(c.q, c.history(), c.k, c.v, 0.1));
  };
  const double seconds = fastest_seconds(run);
  for (auto _ : state) run();
  const double operations = 4.0 * static_cast<double>(c.q.numel()) * static_cast<double>(k.size(2));
  state.counters["GFLOP/s"] = operations / seconds * 1e-9;
  state.counters["dense_us"] = dense_seconds * 1e6;
  state.counters["time/dense"] = seconds / dense_seconds;
}
BENCHMARK(attention)->Apply(ragged_shapes);

}  // namespace
}  // namespace kvscope

BENCHMARK_MAIN();
