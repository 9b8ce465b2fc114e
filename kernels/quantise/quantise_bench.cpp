// quantise() and dequantise() as the KIVI store calls them, against memcpy of the numbers they
// read: keys in groups of 32 tokens for every channel, values in groups of 32 channels of a token.
#include <benchmark/benchmark.h>

#include <cstring>
#include <numeric>

#include "kernels/quantise/quantise.h"
#include "kernels/ragged/bench_case.h"

namespace kvscope {
namespace {

constexpr int64_t kGroup = 32;

PackedLines packed(int64_t items, int64_t lanes, int64_t elements, int64_t bits) {
  const at::Tensor scale = at::empty({items, lanes, group_count(elements, kGroup)});
  return {.codes = at::empty({items, code_words(elements, bits), lanes}, at::kInt).transpose(1, 2),
          .scale = scale,
          .minimum = at::empty_like(scale),
          .bits = bits,
          .group = kGroup};
}

void quantise_bench(benchmark::State& state) {
  const int64_t tokens = state.range(0);
  const int64_t head_dim = state.range(1);
  const int64_t bits = state.range(2);
  const bool is_key = state.range(3) != 0;
  const at::Tensor rows = at::randn({tokens, head_dim});
  // Keys: a view of the groups [groups, head_dim, 32]; values: [tokens, 1, head_dim].
  const at::Tensor x = is_key ? rows.unfold(0, kGroup, kGroup) : rows.unsqueeze(1);
  const PackedLines lines = packed(x.size(0), x.size(1), x.size(2), bits);
  std::vector<int64_t> all(static_cast<size_t>(x.size(0)));
  std::iota(all.begin(), all.end(), 0);
  const auto bytes = static_cast<size_t>(rows.numel()) * sizeof(float);
  std::vector<char> copy(bytes);
  const double copy_seconds = fastest_seconds([&] {
    std::memcpy(copy.data(), rows.const_data_ptr(), bytes);
    benchmark::ClobberMemory();
  });
  const auto pack = [&] { benchmark::DoNotOptimize(quantise(x, all, lines, all)); };
  const auto unpack = [&] { dequantise(lines, all, x, all); };
  pack();
  const double unpack_seconds = fastest_seconds(unpack);
  const double seconds = fastest_seconds(pack);
  for (auto _ : state) pack();
  state.counters["GB/s"] = static_cast<double>(bytes) / seconds * 1e-9;
  state.counters["dequantise_GB/s"] = static_cast<double>(bytes) / unpack_seconds * 1e-9;
  state.counters["time/memcpy"] = seconds / copy_seconds;
}
BENCHMARK(quantise_bench)
    ->ArgNames({"tokens", "head_dim", "bits", "keys"})
    ->ArgsProduct({{1024, 65536}, {32, 128}, {2, 4, 8}, {0, 1}})
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace kvscope

BENCHMARK_MAIN();
