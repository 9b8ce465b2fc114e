#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "kernels/ragged/ragged.h"

namespace kvscope {

/// The shapes every kernel benchmark runs: the embedded model's small steps and the largest models'
/// last scales, uniform lengths so that a dense call exists to compare with.
struct BenchShape {
  int64_t slots, queries, history, head_dim;
};
inline const std::vector<std::vector<int64_t>> kBenchShapes{
    {12, 1, 0, 32},       {12, 16, 30, 32},    {12, 100, 185, 32},
    {12, 256, 424, 32},   {96, 256, 424, 32},  {16, 1, 4000, 128},
    {2, 1024, 1497, 128}, {2, 1024, 300, 128}, {1, 4096, 6425, 128}};

struct BenchCase {
  BenchShape shape;
  std::vector<int64_t> begin = {};
  std::vector<int64_t> length = {};
  at::Tensor q = {}, k = {}, v = {}, keys = {}, values = {};

  explicit BenchCase(const BenchShape& s) : shape(s) {
    q = at::randn({1, s.slots, s.queries, s.head_dim});
    k = at::randn({1, s.slots, s.queries, s.head_dim});
    v = at::randn({1, s.slots, s.queries, s.head_dim});
    keys = at::randn({s.slots * room(), s.head_dim});
    values = at::randn({s.slots * room(), s.head_dim});
    for (int64_t slot = 0; slot < s.slots; ++slot) {
      begin.push_back(slot * room());
      length.push_back(s.history);
    }
  }
  [[nodiscard]] int64_t room() const { return shape.history + shape.queries; }
  [[nodiscard]] RaggedRows history() const {
    return {.keys = keys, .values = values, .begin = begin, .length = length};
  }
  /// [1, slots, history + queries, head_dim], as a dense call wants it
  [[nodiscard]] at::Tensor dense(const at::Tensor& arena, const at::Tensor& current) const {
    const at::Tensor past = arena.view({1, shape.slots, room(), shape.head_dim});
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
