#include "core/engine/token_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "kernels/quantise/quantise.h"

namespace kvscope {

int64_t SideFormat::unit_tokens() const {
  return axis == GroupAxis::kTokens ? group * (32 / std::gcd(group * bits, int64_t{32})) : 1;
}

int64_t SideFormat::unit_bytes(int64_t head_dim) const {
  const int64_t lanes = axis == GroupAxis::kTokens ? head_dim : 1;
  const int64_t elements = axis == GroupAxis::kTokens ? unit_tokens() : head_dim;
  const auto scale_bytes = static_cast<int64_t>(c10::elementSize(scale_type));
  return lanes * (4 * code_words(elements, bits) + 2 * scale_bytes * group_count(elements, group));
}

int64_t SideFormat::packed_tokens(int64_t tokens) const {
  if (!is_packed()) return 0;
  return axis == GroupAxis::kTokens ? tokens / residual_tokens * residual_tokens
                                    : std::max<int64_t>(0, tokens - residual_tokens);
}

int64_t SideFormat::max_full_tokens(int64_t tokens) const {
  if (!is_packed()) return tokens;
  return std::min(tokens, axis == GroupAxis::kTokens ? residual_tokens - 1 : residual_tokens);
}

int64_t SideFormat::bytes(int64_t tokens, int64_t head_dim, at::ScalarType type) const {
  const int64_t packed = packed_tokens(tokens);
  return (tokens - packed) * head_dim * static_cast<int64_t>(c10::elementSize(type)) +
         (packed == 0 ? 0 : packed / unit_tokens() * unit_bytes(head_dim));
}

bool SideFormat::is_linear() const {
  return !is_packed() || (axis == GroupAxis::kChannels && residual_tokens == 0);
}

std::string SideFormat::complaint() const {
  if (bits == 0) return {};
  if (bits != 2 && bits != 4 && bits != 8) return fmt::format("{} bits, expected 2, 4 or 8", bits);
  if (group < 1) return fmt::format("groups of {}, expected at least 1", group);
  if (residual_tokens < 0) return fmt::format("{} residual tokens", residual_tokens);
  if (axis == GroupAxis::kChannels) return {};
  if (residual_tokens == 0 || residual_tokens % unit_tokens() != 0) {
    const int64_t unit = unit_tokens();
    return fmt::format(
        "{} residual tokens, expected a multiple of {}, whole groups that fill "
        "whole words; nearest: {}",
        residual_tokens, unit, std::max<int64_t>(1, (residual_tokens + unit / 2) / unit) * unit);
  }
  return {};
}

}  // namespace kvscope
