#include "experiments/results/token_bits.h"

#include <ATen/ATen.h>

#include <string_view>

#include "core/base/sha256.h"

namespace kvscope {

std::vector<uint8_t> pack_token_bits(std::span<const at::Tensor> token_bits, int64_t image) {
  std::vector<uint8_t> packed;
  size_t position = 0;
  for (const at::Tensor& scale : token_bits) {
    const at::Tensor bits = scale[image].to(at::kCPU, at::kByte).contiguous().view({-1});
    for (const uint8_t bit : std::span(bits.const_data_ptr<uint8_t>(), bits.numel())) {
      if (position % 8 == 0) packed.push_back(0);
      if (bit != 0) packed.back() |= static_cast<uint8_t>(0x80U >> (position % 8));
      ++position;
    }
  }
  return packed;
}

std::string token_sha256(std::span<const uint8_t> packed) {
  return sha256_hex({reinterpret_cast<const char*>(packed.data()), packed.size()});
}

}  // namespace kvscope
