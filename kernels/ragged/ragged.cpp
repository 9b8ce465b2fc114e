#include "kernels/ragged/ragged.h"

namespace kvscope {

std::vector<int64_t> column_offsets(std::span<const int64_t> length, int64_t current_tokens) {
  std::vector<int64_t> offsets{0};
  offsets.reserve(length.size() + 1);
  for (const int64_t tokens : length) offsets.push_back(offsets.back() + tokens + current_tokens);
  return offsets;
}

}  // namespace kvscope
