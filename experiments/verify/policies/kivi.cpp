#include "policies/store/kivi.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/engine/attend.h"
#include "core/engine/kv_cache.h"
#include "experiments/verify/policies/policy.h"
#include "kernels/quantise/quantise.h"

namespace kvscope::verify {
namespace {

/// Codes of one case's keys or values, by lines [lines, lanes, elements].
struct Side {
  char letter;  // 'k': a line is a channel; 'v': a line is a token
  int64_t bits;
  int64_t group;

  [[nodiscard]] std::string name(const char* what) const {
    return fmt::format("{}_{}", letter, what);
  }
};

at::ScalarType type_of(const PolicyCase& of) {
  if (!of.has("dtype")) return at::kFloat;
  const std::string type = of.word("dtype", {"f32", "bf16", "f16"});
  return type == "f16" ? at::kHalf : type == "bf16" ? at::kBFloat16 : at::kFloat;
}

int64_t bits_of(const PolicyCase& of, const char* own) {
  const int64_t bits = of.has(own) ? of.integer(own, 2, 8) : of.integer("bits", 2, 8);
  if (bits != 2 && bits != 4 && bits != 8)
    of.fail(fmt::format("{} bits; expected 2, 4 or 8", bits));
  return bits;
}

/// [..., words] -> [..., words * 32 / bits]
at::Tensor unpacked(const at::Tensor& words, int64_t bits) {
  const at::Tensor shifts = at::arange(0, 32, bits, words.options());
  const at::Tensor codes = words.unsqueeze(-1).bitwise_right_shift(shifts).bitwise_and(
      static_cast<int>((1 << bits) - 1));
  return codes.flatten(-2);
}

/// Codes, scales and minima [..., words] and [..., groups] against the recorded ones. A constant
/// group has scale 0, and published code leaves its codes open: 0 / 0 as an integer.
void compare_packed(const PolicyCase& of,
                    const Side& side,
                    const at::Tensor& codes,
                    const at::Tensor& scale,
                    const at::Tensor& minimum,
                    PolicyGroups& groups) {
  const at::Tensor recorded_scale = of.on_device(of.tensor(side.name("scale"), scale.sizes()));
  const at::Tensor recorded_words = of.on_device(of.tensor(side.name("code"), codes.sizes()));
  if (recorded_words.scalar_type() != at::kInt) {
    of.fail(fmt::format("tensor '{}' is not int32", of.full_name(side.name("code"))));
  }
  const at::Tensor is_constant = recorded_scale.eq(0).repeat_interleave(side.group, -1);
  const int64_t count = std::min(is_constant.size(-1), codes.size(-1) * (32 / side.bits));
  const at::Tensor open = is_constant.narrow(-1, 0, count);
  const at::Tensor computed = unpacked(codes, side.bits).narrow(-1, 0, count);
  at::Tensor recorded = unpacked(recorded_words, side.bits).narrow(-1, 0, count);
  recorded = at::where(open, at::zeros_like(recorded), recorded);
  groups.exact("codes", of, side.name("code"), computed, recorded);
  groups.exact("scales", of, side.name("scale"), scale, recorded_scale);
  groups.exact("minima", of, side.name("min"), minimum,
               of.tensor(side.name("min"), minimum.sizes()));
}

/// `x` [lines, lanes, elements] packed and unpacked as the store does it; `shape` of the recorded
/// tensors but for their last dimension.
at::Tensor check_lines(const PolicyCase& of,
                       const Side& side,
                       const at::Tensor& x,
                       std::vector<int64_t> shape,
                       PolicyGroups& groups) {
  const int64_t words = code_words(x.size(2), side.bits);
  const int64_t scales = group_count(x.size(2), side.group);
  const PackedLines lines{
      .codes = at::empty({x.size(0), x.size(1), words}, x.options().dtype(at::kInt)),
      .scale = at::empty({x.size(0), x.size(1), scales}, x.options()),
      .minimum = at::empty({x.size(0), x.size(1), scales}, x.options()),
      .bits = side.bits,
      .group = side.group};
  std::vector<int64_t> all(static_cast<size_t>(x.size(0)));
  std::iota(all.begin(), all.end(), 0);
  if (!quantise(x, all, lines, all).all().item<bool>()) of.fail("numbers that are not finite");
  at::Tensor back = at::empty_like(x);
  dequantise(lines, all, back, all);
  shape.push_back(words);
  const at::Tensor codes = lines.codes.view(shape);
  shape.back() = scales;
  compare_packed(of, side, codes, lines.scale.view(shape), lines.minimum.view(shape), groups);
  return back;
}

/// Keys and values of a whole cache packed at once.
void check_quantise(const PolicyCase& of, PolicyGroups& groups) {
  const int64_t rows = of.integer("B");
  const int64_t heads = of.integer("H");
  const int64_t tokens = of.integer("T");
  const int64_t channels = of.integer("D");
  const int64_t group = of.integer("G");
  const Side key_side{.letter = 'k', .bits = bits_of(of, "k_bits"), .group = group};
  const Side value_side{.letter = 'v', .bits = bits_of(of, "v_bits"), .group = group};
  const std::vector<int64_t> shape{rows, heads, tokens, channels};
  const auto numbers = [&](const char* name) {
    const at::Tensor x = of.tensor(name, shape);
    if (x.scalar_type() != type_of(of))
      of.fail(fmt::format("tensor '{}' is not of its type", name));
    return of.on_device(x.contiguous());
  };
  const at::Tensor k = numbers("k").view({rows * heads, tokens, channels}).transpose(1, 2);
  const at::Tensor v = numbers("v").view({rows * heads * tokens, 1, channels});
  const at::Tensor k_back = check_lines(of, key_side, k, {rows, heads, channels}, groups);
  const at::Tensor v_back = check_lines(of, value_side, v, {rows, heads, tokens}, groups);
  if (of.has_tensor("k_dequant")) {
    groups.exact("dequantised", of, "k_dequant", k_back.transpose(1, 2).reshape(shape),
                 of.tensor("k_dequant", shape));
  }
  if (of.has_tensor("v_dequant")) {
    groups.exact("dequantised", of, "v_dequant", v_back.reshape(shape),
                 of.tensor("v_dequant", shape));
  }
}

/// [heads][units, lanes, n] -> [heads, lanes, units * n]: the units of a head one behind the other.
at::Tensor joined_units(const std::vector<at::Tensor>& heads) {
  std::vector<at::Tensor> joined;
  for (const at::Tensor& units : heads) joined.push_back(units.permute({1, 0, 2}).flatten(1));
  return at::stack(joined);
}

/// What a cache holds packed at the end.
void compare_cache(const PolicyCase& of,
                   const Side& side,
                   const PackedArena& packed,
                   int64_t heads,
                   PolicyGroups& groups) {
  std::vector<at::Tensor> codes, scale, minimum;
  for (int64_t head = 0; head < heads; ++head) {
    const PackedArena::Units units = packed.units(0, head);
    if (!units.codes.defined()) {
      groups.mismatch("codes", fmt::format("'{}': nothing was packed", of.name()));
      return;
    }
    codes.push_back(units.codes);
    scale.push_back(units.scale);
    minimum.push_back(units.minimum);
  }
  const auto of_tokens = [](const std::vector<at::Tensor>& units) {
    return at::stack(units).squeeze(2);  // [heads, tokens, 1, n]
  };
  const bool is_key = side.letter == 'k';
  compare_packed(of, side, is_key ? joined_units(codes) : of_tokens(codes),
                 is_key ? joined_units(scale) : of_tokens(scale),
                 is_key ? joined_units(minimum) : of_tokens(minimum), groups);
}

at::Tensor whole_cache(const KvCache& cache, bool is_key) {
  std::vector<at::Tensor> heads;
  for (int64_t head = 0; head < cache.plan().geometry().heads; ++head) {
    heads.push_back((is_key ? cache.keys(0, 0, head) : cache.values(0, 0, head)).clone());
  }
  return at::stack(heads);
}

/// A prompt and tokens one by one through a cache of this format.
void check_trace(const PolicyCase& of, const PolicyCase& inputs, PolicyGroups& groups) {
  const int64_t heads = of.integer("H");
  const int64_t channels = of.integer("D");
  const int64_t prompt = of.integer("prompt");
  const int64_t steps = of.integer("steps");
  if (of.integer_or("B", 1) != 1) of.fail("a trace has one row");
  const std::vector<int64_t> shape{heads, prompt + steps, channels};
  const at::Tensor q = inputs.input("q", shape).unsqueeze(0);
  const at::Tensor k = inputs.input("k", shape).unsqueeze(0);
  const at::Tensor v = inputs.input("v", shape).unsqueeze(0);

  const int64_t group = of.integer("G");
  const KiviOptions options{.key_bits = bits_of(of, "k_bits"),
                            .value_bits = bits_of(of, "v_bits"),
                            .group_tokens = group,
                            .group_channels = group,
                            .residual_tokens = of.integer("R")};
  CacheGeometry geometry{.layers = 1,
                         .heads = heads,
                         .head_dim = channels,
                         // One more than is run: a last token would not be stored.
                         .steps = next_token_steps(prompt, steps + 1),
                         .format = kivi_format(options, at::kFloat, at::kFloat)};
  for (const SideFormat* side : {&geometry.format.keys, &geometry.format.values}) {
    if (!side->complaint().empty()) of.fail(side->complaint());
  }
  KvCache cache(full_plan(geometry), 1, k.device());
  AttentionContext context{.cache = cache};
  const at::Tensor weight = at::zeros({heads * channels, 1}, k.options());
  at::Tensor out = at::empty({steps + 1, heads, channels}, k.options());
  at::Tensor lengths = at::empty({steps + 1, 4}, at::kLong);
  for (int64_t s = 0; s <= steps; ++s) {
    const StepInfo& step = geometry.steps[static_cast<size_t>(s)];
    const auto current = [&](const at::Tensor& all) {
      return all.narrow(2, step.first_token, step.queries());
    };
    const at::Tensor result =
        attend(context, {.step = step,
                         .layer = 0,
                         .q = current(q),
                         .k = current(k),
                         .v = current(v),
                         .softmax_scale = 1.0 / std::sqrt(static_cast<double>(channels)),
                         .hidden = at::zeros({1, step.queries(), 1}, k.options()),
                         .query_weight = weight});
    out[s].copy_(result[0].select(1, step.queries() - 1));
    cache.audit(s);
    for (int64_t head = 0; head < heads; ++head) {
      const at::Tensor now = at::tensor({cache.packed_keys()->packed_tokens(0, head),
                                         cache.packed_keys()->full_tokens(0, head),
                                         cache.packed_values()->packed_tokens(0, head),
                                         cache.packed_values()->full_tokens(0, head)});
      if (head > 0 && !at::equal(lengths[s], now)) {
        groups.mismatch("lengths", fmt::format("'{}': heads differ", of.name()));
      }
      lengths[s].copy_(now);
    }
  }
  groups.exact("lengths", of, "lengths", lengths,
               of.integers("lengths", {steps + 1, 4}, 0, prompt + steps));
  groups.close("out", of, "out", out, of.input("out", out.sizes()));
  compare_cache(of, {.letter = 'k', .bits = options.key_bits, .group = group}, *cache.packed_keys(),
                heads, groups);
  compare_cache(of, {.letter = 'v', .bits = options.value_bits, .group = group},
                *cache.packed_values(), heads, groups);
  if (of.has_tensor("k_cache")) {
    groups.exact("cache", of, "k_cache", whole_cache(cache, true), of.input("k_cache", shape));
  }
  if (of.has_tensor("v_cache")) {
    groups.exact("cache", of, "v_cache", whole_cache(cache, false), of.input("v_cache", shape));
  }
}

}  // namespace

/// Codes, scales and minima of whole caches (quantise()), and traces: prompt and tokens through a
/// KvCache in kivi_format().
std::vector<GroupResult> verify_policy_kivi(GoldenFile& file) {
  PolicyGroups groups;
  const std::vector<PolicyCase> cases = policy_cases(file);
  std::vector<std::string> names;
  for (const PolicyCase& of : cases) names.push_back(of.name());
  for (const PolicyCase& of : cases) {
    if (!of.has("inputs")) {
      check_quantise(of, groups);
      continue;
    }
    const std::string inputs = of.word("inputs", names);
    for (const PolicyCase& other : cases) {
      if (other.name() == inputs) check_trace(of, other, groups);
    }
  }
  return groups.results();
}

}  // namespace kvscope::verify
