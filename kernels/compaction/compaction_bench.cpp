// compact_rows() against memcpy of the bytes it keeps, ordered and hole filling: every second row
// stays, or all but one do, as at most steps of a next-token model.
#include <benchmark/benchmark.h>

#include <cstring>
#include <iterator>
#include <utility>

#include "kernels/compaction/compaction.h"
#include "kernels/ragged/bench_case.h"

namespace kvscope {
namespace {

/// Rows of a slot in the order they are stored in.
using Selection = std::vector<int64_t> (*)(int64_t rows);

std::vector<int64_t> half_in_order(int64_t rows) {
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < rows; i += 2) kept.push_back(i);
  return kept;
}

std::vector<int64_t> half_in_holes(int64_t rows) {
  std::vector<int64_t> kept = half_in_order(rows);
  const int64_t count = std::ssize(kept);
  int64_t next = count + count % 2;
  for (int64_t index = 0; index < count; ++index) {
    kept[index] = index % 2 == 0 ? index : std::exchange(next, next + 2);
  }
  return kept;
}

std::vector<int64_t> all_but_one_in_order(int64_t rows) {
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < rows; ++i) {
    if (i != rows / 4) kept.push_back(i);
  }
  return kept;
}

std::vector<int64_t> all_but_one_in_holes(int64_t rows) {
  std::vector<int64_t> kept;
  for (int64_t i = 0; i + 1 < rows; ++i) kept.push_back(i == rows / 4 ? rows - 1 : i);
  return kept;
}

void compaction(benchmark::State& state, Selection select) {
  const BenchCase c(state);
  std::vector<int64_t> kept, kept_begin{0};
  for (int64_t slot = 0; slot < c.shape.slots; ++slot) {
    const std::vector<int64_t> of_slot = select(c.capacity());
    kept.insert(kept.end(), of_slot.begin(), of_slot.end());
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
BENCHMARK_CAPTURE(compaction, half_in_order, half_in_order)->Apply(ragged_shapes);
BENCHMARK_CAPTURE(compaction, half_in_holes, half_in_holes)->Apply(ragged_shapes);
BENCHMARK_CAPTURE(compaction, all_but_one_in_order, all_but_one_in_order)->Apply(ragged_shapes);
BENCHMARK_CAPTURE(compaction, all_but_one_in_holes, all_but_one_in_holes)->Apply(ragged_shapes);

}  // namespace
}  // namespace kvscope

BENCHMARK_MAIN();
