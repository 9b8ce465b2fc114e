#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/device/device_tensors.h"
#include "kernels/device/key_tile.h"

namespace kvscope {

/// The tables of column_sum() and attention_rows() on the GPU, kept until the kernel is enqueued.
class KeyTables {
 public:
  KeyTables(c10::IntArrayRef begin, c10::IntArrayRef length, int64_t tokens, at::Device device)
      : begin_(upload(begin, device)), length_(upload(length, device)) {
    std::vector<int64_t> offsets{0};
    for (const int64_t held : length) {
      offsets.push_back(offsets.back() + held + tokens);
      most_columns_ = std::max(most_columns_, held + tokens);
    }
    all_columns_ = offsets.back();
    offsets_ = upload(offsets, device);
  }

  [[nodiscard]] int64_t all_columns() const { return all_columns_; }

  [[nodiscard]] KeyArguments arguments(const at::Tensor& q,
                                       const float* lse,
                                       const at::Tensor& history_keys,
                                       const at::Tensor& k,
                                       double softmax_scale,
                                       bool causal) const {
    return {.q = device_step(q),
            .k = device_step(k),
            .history_keys = device_arena(history_keys),
            .lse = lse,
            .begin = begin_.const_data_ptr<int64_t>(),
            .length = length_.const_data_ptr<int64_t>(),
            .column_offsets = offsets_.const_data_ptr<int64_t>(),
            .rows = q.size(0),
            .heads = k.size(1),
            .group = group_of(q, k),
            .queries = q.size(2),
            .tokens = k.size(2),
            .most_columns = most_columns_,
            .head_dim = static_cast<int>(q.size(3)),
            .softmax_scale = static_cast<float>(softmax_scale),
            .causal = causal};
  }

 private:
  at::Tensor begin_;
  at::Tensor length_;
  at::Tensor offsets_;
  int64_t most_columns_ = 0;
  int64_t all_columns_ = 0;
};

}  // namespace kvscope
