#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cfloat>
#include <cmath>
#include <cstdint>

#include "kernels/quantise/quantise_cuda.h"

namespace kvscope {

inline constexpr int kQuantiseThreads = 256;

/// Groups share words where a group does not end with one; then a thread takes the whole line.
__host__ __device__ inline int64_t threads_of_line(const QuantiseArguments& a) {
  return a.group * a.bits % 32 == 0 ? (a.elements + a.group - 1) / a.group : 1;
}

inline unsigned quantise_blocks(const QuantiseArguments& a) {
  const int64_t threads = a.items * a.lanes * threads_of_line(a);
  return static_cast<unsigned>((threads + kQuantiseThreads - 1) / kQuantiseThreads);
}

__device__ inline int64_t offset_of(const DeviceLines& lines,
                                    int64_t item,
                                    int64_t lane,
                                    int64_t element) {
  return item * lines.item_stride + lane * lines.lane_stride + element * lines.element_stride;
}

__device__ inline float load_number(const DeviceLines& lines, int64_t offset) {
  if (lines.type == DeviceNumber::kFloat) return static_cast<const float*>(lines.data)[offset];
  if (lines.type == DeviceNumber::kBFloat16) {
    return __bfloat162float(static_cast<const __nv_bfloat16*>(lines.data)[offset]);
  }
  return __half2float(static_cast<const __half*>(lines.data)[offset]);
}

__device__ inline void store_number(const DeviceLines& lines, int64_t offset, float value) {
  if (lines.type == DeviceNumber::kFloat) {
    static_cast<float*>(lines.data)[offset] = value;
  } else if (lines.type == DeviceNumber::kBFloat16) {
    static_cast<__nv_bfloat16*>(lines.data)[offset] = __float2bfloat16_rn(value);
  } else {
    static_cast<__half*>(lines.data)[offset] = __float2half_rn(value);
  }
}

/// `value` in the type that arithmetic is rounded to.
__device__ inline float rounded_to(DeviceNumber type, float value) {
  if (type == DeviceNumber::kFloat) return value;
  if (type == DeviceNumber::kBFloat16) return __bfloat162float(__float2bfloat16_rn(value));
  return __half2float(__float2half_rn(value));
}

/// What one thread works on; false where it has nothing.
struct LinePart {
  int64_t item;  // index into source and target
  int64_t lane;
  int64_t first_group;
  int64_t last_group;
};

__device__ inline bool line_part(const QuantiseArguments& a, LinePart* part) {
  const int64_t threads = threads_of_line(a);
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * kQuantiseThreads + threadIdx.x;
  // Neighbours in a warp are neighbouring lanes, which lie side by side where keys are packed.
  part->lane = thread % a.lanes;
  const int64_t group = thread / a.lanes % threads;
  part->item = thread / a.lanes / threads;
  const int64_t groups = (a.elements + a.group - 1) / a.group;
  part->first_group = threads == 1 ? 0 : group;
  part->last_group = threads == 1 ? groups : group + 1;
  return part->item < a.items;
}

/// Grid: one thread a group, or a line.
__global__ void __launch_bounds__(kQuantiseThreads)
    quantise_kernel(const QuantiseArguments a, bool* is_finite) {
  LinePart part;
  if (!line_part(a, &part)) return;
  const int64_t source = a.source[part.item];
  const int64_t target = a.target[part.item];
  const float levels = static_cast<float>((1 << a.bits) - 1);
  const DeviceNumber type = a.scale.type;
  uint32_t word = 0;
  for (int64_t group = part.first_group; group < part.last_group; ++group) {
    const int64_t first = group * a.group;
    const int64_t last = first + a.group < a.elements ? first + a.group : a.elements;
    float low = FLT_MAX;
    float high = -FLT_MAX;
    bool finite = true;
    for (int64_t element = first; element < last; ++element) {
      const float value = load_number(a.x, offset_of(a.x, source, part.lane, element));
      low = value < low ? value : low;
      high = value > high ? value : high;
      finite = finite && value >= -FLT_MAX && value <= FLT_MAX;
    }
    low = rounded_to(type, low);
    const float range = rounded_to(type, __fsub_rn(rounded_to(type, high), low));
    float scale = rounded_to(type, __fdiv_rn(range, levels));
    if (!finite || !(scale <= FLT_MAX)) {
      scale = NAN;
      is_finite[part.item] = false;
    }
    store_number(a.scale, offset_of(a.scale, target, part.lane, group), scale);
    store_number(a.minimum, offset_of(a.minimum, target, part.lane, group), low);
    for (int64_t element = first; element < last; ++element) {
      const float value = load_number(a.x, offset_of(a.x, source, part.lane, element));
      float code = 0.0F;
      if (scale > 0.0F) {
        code = rounded_to(type, __fdiv_rn(rounded_to(type, __fsub_rn(value, low)), scale));
        code = code > 0.0F ? code : 0.0F;
        code = rintf(code < levels ? code : levels);
      }
      const int shift = static_cast<int>(element * a.bits % 32);
      word |= static_cast<uint32_t>(code) << shift;
      if (shift + a.bits == 32 || element + 1 == a.elements) {
        static_cast<uint32_t*>(
            a.codes.data)[offset_of(a.codes, target, part.lane, element * a.bits / 32)] = word;
        word = 0;
      }
    }
  }
}

__global__ void __launch_bounds__(kQuantiseThreads) dequantise_kernel(const QuantiseArguments a) {
  LinePart part;
  if (!line_part(a, &part)) return;
  const int64_t source = a.source[part.item];
  const int64_t target = a.target[part.item];
  const uint32_t mask = (1U << a.bits) - 1U;
  const DeviceNumber type = a.scale.type;
  for (int64_t group = part.first_group; group < part.last_group; ++group) {
    const int64_t first = group * a.group;
    const int64_t last = first + a.group < a.elements ? first + a.group : a.elements;
    const float scale = load_number(a.scale, offset_of(a.scale, source, part.lane, group));
    const float low = load_number(a.minimum, offset_of(a.minimum, source, part.lane, group));
    for (int64_t element = first; element < last; ++element) {
      const int64_t bit = element * a.bits;
      const uint32_t word = static_cast<const uint32_t*>(
          a.codes.data)[offset_of(a.codes, source, part.lane, bit / 32)];
      const float code = static_cast<float>((word >> (bit % 32)) & mask);
      const float value =
          rounded_to(type, __fadd_rn(rounded_to(type, __fmul_rn(code, scale)), low));
      store_number(a.x, offset_of(a.x, target, part.lane, element), value);
    }
  }
}

}  // namespace kvscope
