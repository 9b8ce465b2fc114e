#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kvscope {

/// Image `image` of `token_bits` ([scales][B, h, w, bits] u8, each 0 or 1), all bits in storage
/// order, eight a byte, the first in the highest place (numpy.packbits); the last byte is filled
/// with 0.
std::vector<uint8_t> pack_token_bits(std::span<const at::Tensor> token_bits, int64_t image);

/// SHA-256 of packed bits, as ImageRow::token_sha256 holds it.
std::string token_sha256(std::span<const uint8_t> packed);

}  // namespace kvscope
