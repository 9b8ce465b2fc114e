#pragma once

#include <cstdint>

#include "core/engine/token_format.h"

namespace kvscope {

/// KIVI (arXiv:2402.02750): a group's scale is (max - min) / (2^bits - 1), a code
/// round((x - min) / scale), in the model's type, half to even.
struct KiviOptions {
  int64_t key_bits = 2;
  int64_t value_bits = 2;
  int64_t group_tokens = 32;     ///< of a key channel
  int64_t group_channels = 32;   ///< of a value
  int64_t residual_tokens = 32;  ///< R, what stays in full
};

/// After n tokens floor(n / R) R keys and max(0, n - R) values are packed. Scales are of the types
/// that K and V have in full.
TokenFormat kivi_format(const KiviOptions& options,
                        at::ScalarType key_type,
                        at::ScalarType value_type);

}  // namespace kvscope
