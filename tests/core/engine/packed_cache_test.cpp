// The packed formats of KvCache against a naive cache that follows the rules in the headers token
// by token.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "core/base/error.h"
#include "core/engine/attend.h"
#include "core/engine/kv_cache.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

constexpr int64_t kRows = 3;
constexpr int64_t kHeads = 2;
constexpr int64_t kHeadDim = 5;

SideFormat key_format(int64_t bits, int64_t group, int64_t residual, at::ScalarType type) {
  return {.bits = bits,
          .axis = GroupAxis::kTokens,
          .group = group,
          .residual_tokens = residual,
          .scale_type = type};
}

SideFormat value_format(int64_t bits, int64_t group, int64_t residual, at::ScalarType type) {
  return {.bits = bits, .group = group, .residual_tokens = residual, .scale_type = type};
}

struct NamedFormat {
  const char* name;
  at::ScalarType type;
  TokenFormat format;
};

std::vector<NamedFormat> formats() {
  const auto kivi = [](int64_t bits, int64_t group, int64_t residual, at::ScalarType type) {
    return TokenFormat{.keys = key_format(bits, group, residual, type),
                       .values = value_format(bits, 3, residual, type)};
  };
  const SideFormat byte = value_format(8, kHeadDim, 0, at::kFloat);
  return {{"kivi, a group a unit", at::kFloat, kivi(4, 8, 8, at::kFloat)},
          {"kivi, two groups a unit", at::kFloat, kivi(2, 8, 16, at::kFloat)},
          {"kivi, several units a residual", at::kFloat, kivi(4, 8, 24, at::kFloat)},
          {"kivi, bf16", at::kBFloat16, kivi(2, 16, 16, at::kBFloat16)},
          {"8 bits a token", at::kFloat, {.keys = byte, .values = byte}},
          {"8 bits a token, bf16", at::kBFloat16, {.keys = byte, .values = byte}},
          {"values only", at::kFloat, {.values = value_format(4, 2, 4, at::kFloat)}},
          {"keys only", at::kFloat, {.keys = key_format(8, 4, 4, at::kFloat)}}};
}

CacheGeometry geometry(const NamedFormat& named, std::vector<StepInfo> steps) {
  return {.layers = 2,
          .heads = kHeads,
          .head_dim = kHeadDim,
          .key_type = named.type,
          .value_type = named.type,
          .steps = std::move(steps),
          .format = named.format};
}

float rounded(float value, at::ScalarType type) {
  const volatile float result =
      type == at::kBFloat16 ? static_cast<float>(at::BFloat16(value)) : value;
  return result;
}

/// Numbers that share a scale, there and back.
void pass_through_codes(std::vector<float*> numbers, int64_t bits, at::ScalarType type) {
  const auto levels = static_cast<float>((1 << bits) - 1);
  float low = *numbers[0];
  float high = *numbers[0];
  for (const float* x : numbers) {
    low = std::min(low, *x);
    high = std::max(high, *x);
  }
  const float scale = rounded(rounded(high - low, type) / levels, type);
  for (float* x : numbers) {
    float code = 0;
    if (scale > 0) {
      code = rounded(rounded(*x - low, type) / scale, type);
      code = std::nearbyint(std::clamp(code, 0.0F, levels));
    }
    *x = rounded(rounded(code * scale, type) + low, type);
  }
}

struct NaiveToken {
  std::vector<float> numbers;
  int64_t unit = -1;   // number of the unit it was packed in; -1: in full
  int64_t offset = 0;  // in the unit
};

/// Keys, or values, of one (row, head).
class NaiveSide {
 public:
  void change(const at::Tensor& current,
              const std::vector<int64_t>& kept,
              const SideFormat& format,
              at::ScalarType type) {
    for (int64_t token = 0; token < current.size(0); ++token) {
      const at::Tensor row = current[token].to(type).to(at::kFloat).contiguous();
      tokens_.push_back({.numbers = {row.data_ptr<float>(), row.data_ptr<float>() + kHeadDim}});
    }
    std::vector<NaiveToken> left;
    for (const int64_t index : kept) left.push_back(tokens_[index]);
    tokens_ = left;
    const auto count = static_cast<int64_t>(tokens_.size());
    int64_t packed = 0;
    if (format.bits > 0 && format.axis == GroupAxis::kTokens) {
      while (packed + format.residual_tokens <= count) packed += format.residual_tokens;
    } else if (format.bits > 0) {
      packed = std::max<int64_t>(0, count - format.residual_tokens);
    }
    int64_t unit_tokens = 1;
    if (format.axis == GroupAxis::kTokens) {
      unit_tokens = format.group;
      while (unit_tokens * format.bits % 32 != 0) unit_tokens += format.group;
    }
    for (int64_t first = 0; first < packed; first += unit_tokens) {
      pack(std::span(tokens_).subspan(first, unit_tokens), format, type);
    }
    for (int64_t token = packed; token < count; ++token) tokens_[token].unit = -1;
  }

  [[nodiscard]] at::Tensor all() const {
    at::Tensor rows = at::empty({static_cast<int64_t>(tokens_.size()), kHeadDim});
    for (size_t i = 0; i < tokens_.size(); ++i) {
      std::copy(tokens_[i].numbers.begin(), tokens_[i].numbers.end(),
                rows.data_ptr<float>() + static_cast<int64_t>(i) * kHeadDim);
    }
    return rows;
  }

 private:
  void pack(std::span<NaiveToken> unit, const SideFormat& format, at::ScalarType type) {
    bool stays = unit[0].unit >= 0;
    for (size_t i = 0; i < unit.size(); ++i) {
      stays = stays && unit[i].unit == unit[0].unit && unit[i].offset == static_cast<int64_t>(i);
    }
    if (stays) return;
    const int64_t group = format.group;
    if (format.axis == GroupAxis::kTokens) {
      for (int64_t channel = 0; channel < kHeadDim; ++channel) {
        for (int64_t first = 0; first < static_cast<int64_t>(unit.size()); first += group) {
          std::vector<float*> numbers;
          for (int64_t i = first; i < first + group; ++i) {
            numbers.push_back(&unit[i].numbers[channel]);
          }
          pass_through_codes(numbers, format.bits, format.scale_type);
        }
      }
    } else {
      for (int64_t first = 0; first < kHeadDim; first += group) {
        std::vector<float*> numbers;
        for (int64_t i = first; i < std::min(first + group, kHeadDim); ++i) {
          numbers.push_back(&unit[0].numbers[i]);
        }
        pass_through_codes(numbers, format.bits, format.scale_type);
      }
    }
    for (size_t i = 0; i < unit.size(); ++i) {
      unit[i].unit = units_;
      unit[i].offset = static_cast<int64_t>(i);
      for (float& x : unit[i].numbers) x = rounded(x, type);
    }
    ++units_;
  }

  std::vector<NaiveToken> tokens_;
  int64_t units_ = 0;
};

at::Tensor random_rows(const StepInfo& step) {
  at::Tensor x = at::randn({kRows, kHeads, step.queries(), kHeadDim});
  x.view({-1}).slice(0, 0, {}, 17).mul_(30.0);  // spikes
  return x;
}

/// The first `count` of a random order of 0 .. available - 1, ascending; some runs stay together,
/// as they do where a policy keeps the newest.
std::vector<int64_t> random_choice(int64_t available, int64_t count, std::mt19937& random) {
  std::vector<int64_t> all(static_cast<size_t>(available));
  std::iota(all.begin(), all.end(), 0);
  if (random() % 3 != 0) {
    std::shuffle(all.begin() + static_cast<int64_t>(random() % (all.size() / 2 + 1)), all.end(),
                 random);
  }
  all.resize(static_cast<size_t>(count));
  std::sort(all.begin(), all.end());
  return all;
}

/// Runs three generations through a cache and the naive one; `counts_of` gives the tokens that each
/// head of a row keeps, given what all have, or nothing where the whole step is appended.
template <typename CountsOf>
void compare_with_naive(const Plan& plan, const CountsOf& counts_of) {
  const CacheGeometry& shape = plan.geometry();
  std::mt19937 random(11);
  KvCache cache(plan, kRows, at::kCPU);
  const int64_t allocated = cache.allocated_bytes();
  EXPECT_EQ(allocated, plan.arena_bytes(kRows));
  for (int generation = 0; generation < 3; ++generation) {
    cache.clear();
    EXPECT_EQ(cache.live_bytes(), 0);
    std::vector<NaiveSide> keys(2 * kRows * kHeads);
    std::vector<NaiveSide> values(2 * kRows * kHeads);
    for (const StepInfo& step : shape.steps) {
      for (int64_t layer = 0; layer < 2 && step.stored; ++layer) {
        const at::Tensor k = random_rows(step);
        const at::Tensor v = random_rows(step);
        KeptIndices kept;
        bool keeps_all = true;
        for (int64_t i = 0; i < kRows * kHeads; ++i) {
          const int64_t available = cache.length(layer, i / kHeads, i % kHeads) + step.queries();
          const int64_t count = counts_of(cache, step, layer, i / kHeads, i % kHeads);
          keeps_all = keeps_all && count == available;
          kept.push_back(random_choice(available, count, random));
          const auto at = static_cast<size_t>(layer * kRows * kHeads + i);
          keys[at].change(k[i / kHeads][i % kHeads], kept.back(), shape.format.keys,
                          shape.key_type);
          values[at].change(v[i / kHeads][i % kHeads], kept.back(), shape.format.values,
                            shape.value_type);
        }
        if (keeps_all) {
          cache.append(layer, step, k, v);
        } else {
          cache.keep(layer, step, k, v, kept);
        }
      }
      cache.audit(step.index);
      if (plan.bytes_are_exact()) {
        EXPECT_EQ(cache.live_bytes(), plan.live_bytes(step.index, kRows));
      }
      for (int64_t layer = 0; layer < 2; ++layer) {
        for (int64_t i = 0; i < kRows * kHeads; ++i) {
          const auto at = static_cast<size_t>(layer * kRows * kHeads + i);
          ASSERT_TRUE(
              at::equal(cache.keys(layer, i / kHeads, i % kHeads).to(at::kFloat), keys[at].all()))
              << "generation " << generation << ", step " << step.index << ", layer " << layer
              << ", slot " << i;
          ASSERT_TRUE(at::equal(cache.values(layer, i / kHeads, i % kHeads).to(at::kFloat),
                                values[at].all()))
              << "generation " << generation << ", step " << step.index << ", layer " << layer
              << ", slot " << i;
        }
      }
    }
    if (plan.bytes_are_exact()) {
      EXPECT_EQ(cache.peak_live_bytes(), plan.peak_live_bytes(kRows));
    }
    EXPECT_EQ(cache.allocated_bytes(), allocated) << "storage grew";
  }
}

TEST(PackedCache, EverythingStays) {
  for (const NamedFormat& named : formats()) {
    SCOPED_TRACE(named.name);
    const CacheGeometry shape = geometry(named, next_token_steps(13, 60));
    compare_with_naive(full_plan(shape), [](const KvCache&, const StepInfo& step, int64_t, int64_t,
                                            int64_t) { return step.first_token + step.queries(); });
  }
}

TEST(PackedCache, WithEvictionEveryHeadItsOwnCount) {
  for (const NamedFormat& named : formats()) {
    SCOPED_TRACE(named.name);
    const CacheGeometry shape =
        geometry(named, next_scale_steps({{1, 1}, {3, 3}, {5, 5}, {4, 6}, {7, 7}, {2, 2}, {9, 9}}));
    // Growing and shrinking, through empty.
    const std::vector<LayerHeadTokens> counts{
        {{1, 0}, {1, 1}},    {{10, 3}, {8, 9}},   {{20, 28}, {33, 1}}, {{44, 40}, {17, 24}},
        {{9, 66}, {31, 32}}, {{0, 60}, {35, 16}}, {{0, 60}, {35, 16}}};
    compare_with_naive(Plan(shape, counts),
                       [&](const KvCache&, const StepInfo& step, int64_t layer, int64_t,
                           int64_t head) { return counts[step.index][layer][head]; });
  }
}

TEST(PackedCache, HeadsThatShareALayer) {
  for (const NamedFormat& named : formats()) {
    SCOPED_TRACE(named.name);
    const CacheGeometry shape =
        geometry(named, next_scale_steps({{1, 1}, {3, 3}, {5, 5}, {4, 6}, {7, 7}, {2, 2}, {9, 9}}));
    const std::vector<LayerHeadTokens> counts{
        {{1, 1}, {1, 1}},     {{10, 10}, {8, 8}},   {{30, 30}, {30, 29}}, {{40, 40}, {30, 31}},
        {{40, 40}, {30, 30}}, {{38, 39}, {30, 31}}, {{38, 39}, {30, 31}}};
    // What the two heads of a row have moves from one to the other.
    const auto share = [&](const KvCache& cache, const StepInfo& step, int64_t layer, int64_t row,
                           int64_t head) {
      const int64_t total = counts[step.index][layer][0] + counts[step.index][layer][1];
      const auto available = [&](int64_t of) {
        return cache.length(layer, row, of) + step.queries();
      };
      const int64_t shift = (step.index + row) % 2 == 0 ? total / 5 : -total / 7;
      const int64_t first =
          std::clamp(total / 2 + shift, std::max<int64_t>(0, total - available(1)),
                     std::min(total, available(0)));
      return head == 0 ? first : total - first;
    };
    compare_with_naive(Plan(shape, counts, CountScope::kLayer), share);
  }
}

TEST(PackedCache, BytesAreThoseOfTheFormat) {
  // KIVI at 2 bits in bf16 is 0.375 bytes a number: 0.25 of code, 4 bytes of scale and minimum for
  // every 32.
  const SideFormat keys = key_format(2, 32, 32, at::kBFloat16);
  const SideFormat values = value_format(2, 32, 32, at::kBFloat16);
  EXPECT_EQ(keys.bytes(96, 128, at::kBFloat16), 96 * 128 * 3 / 8);
  EXPECT_EQ(keys.bytes(97, 128, at::kBFloat16), 96 * 128 * 3 / 8 + 128 * 2);
  EXPECT_EQ(keys.bytes(31, 128, at::kBFloat16), 31 * 128 * 2);
  EXPECT_EQ(values.bytes(96, 128, at::kBFloat16), 64 * 128 * 3 / 8 + 32 * 128 * 2);
  EXPECT_EQ(values.bytes(32, 128, at::kBFloat16), 32 * 128 * 2);
  EXPECT_EQ(value_format(8, 128, 0, at::kFloat).bytes(10, 128, at::kFloat), 10 * (128 + 8));
  EXPECT_FALSE(keys.is_linear());
  EXPECT_TRUE(value_format(8, 128, 0, at::kFloat).is_linear());
}

TEST(PackedCache, BoundOfHalfAScale) {
  const SideFormat byte = value_format(8, kHeadDim, 0, at::kFloat);
  const CacheGeometry shape = geometry({"", at::kFloat, {.keys = byte, .values = byte}},
                                       next_scale_steps({{6, 7}, {1, 1}}));
  KvCache cache(full_plan(shape), kRows, at::kCPU);
  const at::Tensor k = random_rows(shape.steps[0]);
  for (const int64_t layer : {0, 1}) cache.append(layer, shape.steps[0], k, k);
  for (int64_t row = 0; row < kRows; ++row) {
    const at::Tensor x = k[row][1].to(at::kDouble);
    const at::Tensor scale = (x.amax(-1) - x.amin(-1)) / 255;
    const at::Tensor error = (cache.keys(1, row, 1).to(at::kDouble) - x).abs();
    EXPECT_TRUE((error <= scale.unsqueeze(-1) / 2 + 1e-6 * x.abs().max()).all().item<bool>());
    EXPECT_GT(error.max().item<double>(), 0.0);
  }
}

TEST(PackedCache, WhatIsNotFiniteIsNamed) {
  const NamedFormat kivi = formats()[0];
  const CacheGeometry shape = geometry(kivi, next_scale_steps({{3, 3}, {5, 5}, {1, 1}}));
  KvCache cache(full_plan(shape), kRows, at::kCPU);
  const auto message = [&](const at::Tensor& k, const at::Tensor& v) -> std::string {
    cache.clear();
    try {
      cache.append(1, shape.steps[0], k, v);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kNumerics);
      return error.what();
    }
    return "nothing thrown";
  };
  const at::Tensor good = random_rows(shape.steps[0]);
  const at::Tensor bad = good.clone();
  bad[2][1][0][3] = NAN;
  EXPECT_EQ(message(good, good), "nothing thrown");
  EXPECT_THAT(message(bad, good), HasSubstr("layer 1, row 2, head 1: keys"));
  EXPECT_THAT(message(good, bad), HasSubstr("layer 1, row 2, head 1: values"));
}

TEST(PackedCache, ImpossibleFormatsAreNamed) {
  const auto message = [](const TokenFormat& format) -> std::string {
    try {
      full_plan(geometry({"", at::kFloat, format}, next_token_steps(2, 2)));
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message({.keys = key_format(2, 8, 8, at::kFloat)}),
              HasSubstr("8 residual tokens, expected a multiple of 16"));
  EXPECT_THAT(message({.keys = key_format(3, 8, 8, at::kFloat)}), HasSubstr("3 bits"));
  EXPECT_THAT(message({.values = value_format(4, 0, 8, at::kFloat)}), HasSubstr("groups of 0"));
}

/// A prompt padded on the left by `padding` in row 1, then tokens; what the queries see.
at::Tensor padded_run(const NamedFormat& named, const at::Tensor& padding_numbers) {
  const CacheGeometry shape = geometry(named, next_token_steps(21, 30));
  KvCache cache(full_plan(shape), kRows, at::kCPU);
  cache.set_padding({0, 6, 17});
  AttentionContext context{.cache = cache};
  std::vector<at::Tensor> outs;
  auto generator = at::detail::createCPUGenerator(3);
  const at::Tensor weight = at::zeros({kHeads * kHeadDim, 4});
  for (const StepInfo& step : shape.steps) {
    if (step.index + 1 == static_cast<int64_t>(shape.steps.size())) break;
    for (int64_t layer = 0; layer < 2; ++layer) {
      const auto rows = [&] {
        return at::randn({kRows, kHeads, step.queries(), kHeadDim}, generator);
      };
      const at::Tensor q = rows();
      const at::Tensor k = rows();
      const at::Tensor v = rows();
      if (step.kind == StepKind::kPrefill) {
        k[1].narrow(1, 0, 6).copy_(padding_numbers.narrow(0, 0, 6).unsqueeze(0).expand({2, 6, 5}));
        v[2].narrow(1, 0, 17).copy_(padding_numbers.unsqueeze(0).expand({2, 17, 5}));
      }
      const at::Tensor hidden = at::zeros({kRows, step.queries(), 4});
      const at::Tensor out = attend(context, {.step = step,
                                              .layer = layer,
                                              .q = q,
                                              .k = k,
                                              .v = v,
                                              .softmax_scale = 0.4,
                                              .hidden = hidden,
                                              .query_weight = weight});
      outs.push_back(step.kind == StepKind::kPrefill ? out.narrow(2, 20, 1) : out);
    }
    cache.audit(step.index);
  }
  return at::cat(outs, 2);
}

TEST(PackedCache, PaddingLendsNothing) {
  for (const NamedFormat& named : formats()) {
    if (named.type != at::kFloat) continue;
    SCOPED_TRACE(named.name);
    EXPECT_TRUE(at::equal(padded_run(named, at::randn({17, kHeadDim})),
                          padded_run(named, at::full({17, kHeadDim}, 1e6))));
  }
}

}  // namespace
}  // namespace kvscope
