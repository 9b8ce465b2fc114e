#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>

namespace kvscope {

/// Which numbers of a head share a scale.
enum class GroupAxis : uint8_t {
  kChannels,  ///< `group` neighbouring channels of one token: a token is packed by itself
  kTokens,    ///< `group` neighbouring tokens in one channel: groups of tokens are packed at once
};

/// How the keys, or the values, of a head are stored: the oldest tokens packed into codes of `bits`
/// with scale and minimum of every group (kernels/quantise), the newest in full, that is in the
/// type of the geometry. How many are which, and so the bytes, follows from their number alone.
struct SideFormat {
  int64_t bits = 0;  ///< 2, 4 or 8; 0: everything in full, and the rest does not count
  GroupAxis axis = GroupAxis::kChannels;
  int64_t group = 1;
  /// Under kChannels the newest so many stay in full. Under kTokens, where it is a multiple of
  /// unit_tokens(), so many are packed as soon as they are there: the first floor(n / R) R of n.
  int64_t residual_tokens = 0;
  at::ScalarType scale_type = at::kFloat;  ///< of scale and minimum, and of the arithmetic

  [[nodiscard]] bool is_packed() const { return bits > 0; }
  /// Tokens of a unit, what is packed at once: one, or the fewest groups that fill whole words.
  [[nodiscard]] int64_t unit_tokens() const;
  /// Codes, scales and minima of a unit.
  [[nodiscard]] int64_t unit_bytes(int64_t head_dim) const;
  /// Packed ones among a head's `tokens`; the oldest, a whole number of units.
  [[nodiscard]] int64_t packed_tokens(int64_t tokens) const;
  /// Most tokens in full that a head ever has on its way to `tokens`.
  [[nodiscard]] int64_t max_full_tokens(int64_t tokens) const;
  /// Bytes of a head's `tokens`, which are numbers of `type`.
  [[nodiscard]] int64_t bytes(int64_t tokens, int64_t head_dim, at::ScalarType type) const;
  /// Whether bytes() is proportional to the number of tokens.
  [[nodiscard]] bool is_linear() const;
  /// What is impossible about it; empty where nothing is.
  [[nodiscard]] std::string complaint() const;
  bool operator==(const SideFormat&) const = default;
};

/// The format of a cache; by default keys and values are in the geometry's types.
struct TokenFormat {
  SideFormat keys = {};
  SideFormat values = {};

  [[nodiscard]] bool is_packed() const { return keys.is_packed() || values.is_packed(); }
  [[nodiscard]] bool is_linear() const { return keys.is_linear() && values.is_linear(); }
  bool operator==(const TokenFormat&) const = default;
};

}  // namespace kvscope
