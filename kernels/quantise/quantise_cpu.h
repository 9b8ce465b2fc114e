#pragma once

#include <ATen/core/Tensor.h>

namespace kvscope {

// The CPU's bodies of the two operators, as quantise.cpp registers them; shapes as in quantise.h.

at::Tensor quantise_cpu(const at::Tensor& x,
                        c10::IntArrayRef source,
                        const at::Tensor& codes,
                        const at::Tensor& scale,
                        const at::Tensor& minimum,
                        c10::IntArrayRef target,
                        int64_t bits,
                        int64_t group);

void dequantise_cpu(const at::Tensor& codes,
                    const at::Tensor& scale,
                    const at::Tensor& minimum,
                    c10::IntArrayRef source,
                    const at::Tensor& x,
                    c10::IntArrayRef target,
                    int64_t bits,
                    int64_t group);

}  // namespace kvscope
