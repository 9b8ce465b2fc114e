// column_sum() against the attention it follows, and against the swapped-roles call that needs no
// kernel of its own: with query := K, key := Q and bias -lse, log c_j is that call's log-sum-exp.
#include <benchmark/benchmark.h>

#include "kernels/attention/attention.h"
#include "kernels/column_sum/column_sum.h"
#include "kernels/ragged/bench_case.h"

namespace kvscope {
namespace {

void column_sums(benchmark::State& state) {
  const BenchCase c(state);
  const at::Tensor lse = ragged_attention(c.q, c.history(), c.k, c.v, 0.1).lse;
  const double attention_seconds = fastest_seconds(
      [&] { benchmark::DoNotOptimize(ragged_attention(c.q, c.history(), c.k, c.v, 0.1)); });
  const at::Tensor k = c.dense(c.keys, c.k);
  const at::Tensor bias = lse.neg().contiguous().unsqueeze(2);
  const double swapped_seconds = fastest_seconds([&] {
    benchmark::DoNotOptimize(
        at::_scaled_dot_product_flash_attention_for_cpu(k, c.q, c.q, 0.0, false, bias, 0.1));
  });
  const auto run = [&] { benchmark::DoNotOptimize(column_sum(c.q, lse, c.history(), c.k, 0.1)); };
  const double seconds = fastest_seconds(run);
  for (auto _ : state) run();
  state.counters["time/attention"] = seconds / attention_seconds;
  state.counters["time/swapped"] = seconds / swapped_seconds;
}
BENCHMARK(column_sums)->Apply(ragged_shapes);

}  // namespace
}  // namespace kvscope

BENCHMARK_MAIN();
