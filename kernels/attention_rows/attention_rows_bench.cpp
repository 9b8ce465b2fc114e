// attention_rows() of a window of 16 queries against a dense product and softmax of the same rows.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "kernels/attention/attention.h"
#include "kernels/attention_rows/attention_rows.h"
#include "kernels/ragged/bench_case.h"

namespace kvscope {
namespace {

void rows(benchmark::State& state) {
  const BenchCase c(state);
  const at::Tensor lse = ragged_attention(c.q, c.history(), c.k, c.v, 0.1).lse;
  std::vector<int64_t> window;
  for (int64_t w = 0; w < std::min<int64_t>(16, c.shape.queries); ++w) {
    window.push_back(w * c.shape.queries / 16);
  }
  const at::Tensor k = c.dense(c.keys, c.k);
  const at::Tensor index = at::tensor(window, at::kLong);
  const double dense_seconds = fastest_seconds([&] {
    const at::Tensor scores = at::matmul(c.q.index_select(2, index), k.transpose(2, 3)).mul_(0.1);
    benchmark::DoNotOptimize(at::softmax(scores, -1));
  });
  const auto run = [&] {
    benchmark::DoNotOptimize(attention_rows(c.q, lse, c.history(), c.k, 0.1, window));
  };
  const double seconds = fastest_seconds(run);
  for (auto _ : state) run();
  state.counters["time/dense"] = seconds / dense_seconds;
}
BENCHMARK(rows)->Apply(ragged_shapes);

}  // namespace
}  // namespace kvscope

BENCHMARK_MAIN();
