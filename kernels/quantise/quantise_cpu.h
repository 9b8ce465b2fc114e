#pragma once

#include <ATen/core/Tensor.h>

namespace kvscope {

/// The CPU's body of quantise(), as quantise.cpp registers it; shapes as in quantise.h.
at::Tensor quantise_cpu(const at::Tensor& x,
                        c10::IntArrayRef source,
                        const at::Tensor& codes,
                        const at::Tensor& scale,
                        const at::Tensor& minimum,
                        c10::IntArrayRef target,
                        int64_t bits,
                        int64_t group);

}  // namespace kvscope
