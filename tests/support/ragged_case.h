#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>
#include <iterator>
#include <vector>

#include "kernels/ragged/ragged.h"

namespace kvscope {

/// A random problem for the ragged kernels, and its dense parts in double for the naive oracles.
struct RaggedCase {
  int64_t rows = 2;
  int64_t heads = 3;
  int64_t group = 1;  ///< query heads per head
  int64_t queries = 7;
  int64_t tokens = 7;
  int64_t head_dim = 40;
  std::vector<int64_t> length = {};  // [rows * heads]
  at::ScalarType query_type = at::kFloat;
  at::ScalarType key_type = at::kFloat;
  at::ScalarType value_type = at::kFloat;
  double spike = 1;  ///< every 13th key element is this much larger

  std::vector<int64_t> begin = {};
  at::Tensor q = {}, k = {}, v = {}, arena_keys = {}, arena_values = {};

  void fill(uint64_t seed = 7) {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    const auto random = [&](at::IntArrayRef sizes) { return at::randn(sizes, generator); };
    const auto spiky = [&](at::Tensor tensor) {
      tensor.view({-1}).slice(0, 0, {}, 13).mul_(spike);
      return tensor;
    };
    q = random({rows, heads * group, queries, head_dim}).to(query_type);
    k = spiky(random({rows, heads, tokens, head_dim})).to(key_type);
    // Values as a transposed view: the kernels must not assume contiguous tensors.
    v = random({rows, tokens, heads, head_dim}).transpose(1, 2).to(value_type);
    length.resize(rows * heads);
    begin.clear();
    int64_t next = 3;  // slots neither start at 0 nor touch
    for (const int64_t held : length) {
      begin.push_back(next);
      next += held + tokens + 2;
    }
    arena_keys = spiky(random({next, head_dim})).to(key_type);
    arena_values = random({next, head_dim}).to(value_type);
    // What no slot owns is poison: reading it shows.
    at::Tensor owned = at::zeros({next}, at::kBool);
    for (size_t s = 0; s < length.size(); ++s) owned.narrow(0, begin[s], length[s]).fill_(true);
    arena_keys.masked_fill_(owned.logical_not().unsqueeze(1), NAN);
    arena_values.masked_fill_(owned.logical_not().unsqueeze(1), NAN);
  }

  [[nodiscard]] RaggedRows history() const {
    return {.keys = arena_keys, .values = arena_values, .begin = begin, .length = length};
  }
  /// [length + tokens, head_dim] double
  [[nodiscard]] at::Tensor all_keys(int64_t slot) const { return all(arena_keys, k, slot); }
  [[nodiscard]] at::Tensor all_values(int64_t slot) const { return all(arena_values, v, slot); }
  /// [queries, length + tokens] double of query head g of the slot's group, -inf where a causal
  /// query does not see.
  [[nodiscard]] at::Tensor scores(int64_t slot, double scale, bool causal, int64_t g = 0) const {
    const at::Tensor own = q[slot / heads][slot % heads * group + g].to(at::kDouble);
    at::Tensor s = at::matmul(own, all_keys(slot).t()) * scale;
    if (causal) {
      const at::Tensor later = at::ones({queries, tokens}, at::kBool).triu(1);
      s.narrow(1, length[slot], tokens).masked_fill_(later, -INFINITY);
    }
    return s;
  }

 private:
  [[nodiscard]] at::Tensor all(const at::Tensor& arena,
                               const at::Tensor& current,
                               int64_t slot) const {
    return at::cat({arena.narrow(0, begin[slot], length[slot]).to(at::kDouble),
                    current[slot / heads][slot % heads].to(at::kDouble)});
  }
};

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.numel() == 0) return 0;
  const at::Tensor difference = (a.to(at::kDouble) - b.to(at::kDouble)).abs();
  return difference.isnan().any().item<bool>() ? INFINITY : difference.max().item<double>();
}

/// The same indices with those below the count at their own indices, the others in between.
inline std::vector<int64_t> with_holes_filled(std::vector<int64_t> kept) {
  const int64_t count = std::ssize(kept);
  std::vector<int64_t> stored(kept.size(), -1);
  std::vector<int64_t> moving;
  for (const int64_t index : kept) {
    if (index < count) {
      stored[index] = index;
    } else {
      moving.push_back(index);
    }
  }
  for (int64_t& index : stored) {
    if (index >= 0) continue;
    index = moving.back();
    moving.pop_back();
  }
  return stored;
}

}  // namespace kvscope
