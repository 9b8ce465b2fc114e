#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <vector>

#include "kernels/ragged/ragged.h"

namespace kvscope {

/// The one set of checks at every op's boundary. Throws c10::Error that names the op, the argument,
/// its shape and the expected one. `v` and the arena's values may be undefined where an op reads no
/// values.
struct RaggedArguments {
  const char* op;
  const at::Tensor& q;  ///< undefined where an op has no queries
  const at::Tensor& history_keys;
  const at::Tensor& history_values;
  c10::IntArrayRef begin;
  c10::IntArrayRef length;
  const at::Tensor& k;
  const at::Tensor& v;
};
void check_ragged(const RaggedArguments& arguments);
/// `lse` must be fp32 [rows, query heads, queries] on the device of `q`.
void check_lse(const char* op, const at::Tensor& lse, const at::Tensor& q);

/// The spans of a RaggedRows as LibTorch's dispatcher takes them; nothing is copied.
inline c10::IntArrayRef as_array(std::span<const int64_t> values) {
  return {values.data(), values.size()};
}

}  // namespace kvscope
