// compact_rows() keeping every second row, against memcpy of the bytes it moves.
#include <benchmark/benchmark.h>

#include <cstring>

#include "kernels/compaction/compaction.h"
#include "kernels/ragged/bench_case.h"

namespace kvscope {
namespace {

void compaction(benchmark::State& state) {
  const BenchCase c(state);
  std::vector<int64_t> kept, kept_begin{0};
  for (int64_t slot = 0; slot < c.shape.slots; ++slot) {
    for (int64_t i = 0; i < c.room(); i += 2) kept.push_back(i);
    kept_begin.push_back(static_cast<int64_t>(kept.size()));
  }
  const size_t bytes = kept.size() * static_cast<size_t>(c.shape.head_dim) * 2 * sizeof(float);
  const std::vector<char> from(bytes, 1);
  std::vector<char> to(bytes);
  const double copy_seconds = fastest_seconds([&] {
    std::memcpy(to.data(), from.data(), bytes);
    benchmark::ClobberMemory();
  });
  const auto run = [&] { compact_rows(c.history(), c.k, c.v, kept, kept_begin); };
  const double seconds = fastest_seconds(run);
  for (auto _ : state) run();
  state.counters["GB/s"] = 2.0 * static_cast<double>(bytes) / seconds * 1e-9;
  state.counters["memcpy_GB/s"] = 2.0 * static_cast<double>(bytes) / copy_seconds * 1e-9;
  state.counters["time/memcpy"] = seconds / copy_seconds;
}
BENCHMARK(compaction)->Apply(ragged_shapes);

}  // namespace
}  // namespace kvscope

BENCHMARK_MAIN();
