#pragma once

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "kernels/ragged/ragged.h"

namespace kvscope {

struct BenchShape {
  int64_t slots, queries, history, head_dim;

  explicit BenchShape(const benchmark::State& state)
      : slots(state.range(0)),
        queries(state.range(1)),
        history(state.range(2)),
        head_dim(state.range(3)) {}
};

/// The shapes every kernel benchmark runs: the embedded model's small steps and the largest models'
/// last scales, uniform lengths so that a dense call exists to compare with.
inline void ragged_shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"slots", "queries", "history", "head_dim"});
  benchmark->Args({12, 1, 0, 32})->Args({12, 16, 30, 32})->Args({12, 100, 185, 32});
  benchmark->Args({12, 256, 424, 32})->Args({96, 256, 424, 32})->Args({16, 1, 4000, 128});
  benchmark->Args({2, 1024, 1497, 128})->Args({2, 1024, 300, 128})->Args({1, 4096, 6425, 128});
  benchmark->Unit(benchmark::kMicrosecond)->UseRealTime();
}

struct BenchCase {
  BenchShape shape;
  std::vector<int64_t> begin = {};
  std::vector<int64_t> length = {};
  at::Tensor q = {}, k = {}, v = {}, keys = {}, values = {};

  explicit BenchCase(const benchmark::State& state) : shape(state) {
    const BenchShape& s = shape;
    q = at::randn({1, s.slots, s.queries, s.head_dim});
    k = at::randn({1, s.slots, s.queries, s.head_dim});
    v = at::randn({1, s.slots, s.queries, s.head_dim});
    keys = at::randn({s.slots * capacity(), s.head_dim});
    values = at::randn({s.slots * capacity(), s.head_dim});
    for (int64_t slot = 0; slot < s.slots; ++slot) {
      begin.push_back(slot * capacity());
      length.push_back(s.history);
    }
  }
  [[nodiscard]] int64_t capacity() const { return shape.history + shape.queries; }
  [[nodiscard]] RaggedRows history() const {
    return {.keys = keys, .values = values, .begin = begin, .length = length};
  }
  /// [1, slots, history + queries, head_dim], as a dense call wants it
  [[nodiscard]] at::Tensor dense(const at::Tensor& arena, const at::Tensor& current) const {
    const at::Tensor past = arena.view({1, shape.slots, capacity(), shape.head_dim});
    return at::cat({past.narrow(2, 0, shape.history), current}, 2);
  }
};

/// Seconds of the fastest of several runs of `body`: what a ratio in the same run is taken from.
template <typename Body>
double fastest_seconds(const Body& body) {
  double fastest = 1e30;
  double spent = 0;
  for (int run = 0; run < 200 && spent < 0.5; ++run) {
    const auto start = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    fastest = std::min(fastest, elapsed.count());
    spent += elapsed.count();
  }
  return fastest;
}

}  // namespace kvscope
