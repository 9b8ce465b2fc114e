#include "core/models/packed_tokens.h"

#include <ATen/ATen.h>

#include <stdexcept>

namespace kvscope {

std::vector<uint8_t> pack_token_bits(std::span<const at::Tensor> token_bits, int64_t image) {
  std::vector<uint8_t> packed;
  size_t position = 0;
  for (const at::Tensor& step : token_bits) {
    const at::Tensor bits = step[image].to(at::kCPU, at::kByte).contiguous().view({-1});
    for (const uint8_t bit : std::span(bits.const_data_ptr<uint8_t>(), bits.numel())) {
      if (position % 8 == 0) packed.push_back(0);
      if (bit != 0) packed.back() |= static_cast<uint8_t>(0x80U >> (position % 8));
      ++position;
    }
  }
  return packed;
}

std::vector<uint8_t> pack_token_ids(const at::Tensor& ids, int64_t image) {
  const at::Tensor row = ids[image].to(at::kCPU, at::kLong).contiguous();
  std::vector<uint8_t> packed;
  for (const int64_t id : std::span(row.const_data_ptr<int64_t>(), row.numel())) {
    if (id < 0 || id > UINT16_MAX) throw std::logic_error("a token id beyond 16 bits");
    packed.push_back(static_cast<uint8_t>(id & 0xFF));
    packed.push_back(static_cast<uint8_t>(id >> 8));
  }
  return packed;
}

}  // namespace kvscope
