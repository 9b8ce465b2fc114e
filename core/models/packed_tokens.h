#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace kvscope {

/// Image `image` of `token_bits` ([steps][B, h, w, bits] u8, each 0 or 1), all bits in storage
/// order, eight per byte, the first in the highest bit (numpy.packbits); the last byte is filled
/// with 0.
std::vector<uint8_t> pack_token_bits(std::span<const at::Tensor> token_bits, int64_t image);

/// Image `image` of codebook `ids` [B, tokens] as 16-bit little-endian numbers. Throws
/// std::logic_error for an id outside 0..65535.
std::vector<uint8_t> pack_token_ids(const at::Tensor& ids, int64_t image);

}  // namespace kvscope
