#pragma once

#include <ATen/core/Tensor.h>

namespace kvscope {

/// The small operations of a token step, each in one pass over its rows. Put together of the
/// library's calls they take six and seven of them: at a token's size a call costs more than its
/// arithmetic.
///
/// One pass for fp32 on a CPU outside of a backward pass; else the library's calls, which round in
/// the same places.

/// x / sqrt(mean(x^2) + epsilon) in fp32, rounded to the type of x, then times the weight: the
/// order of the references. x [..., channels], weight [channels].
at::Tensor rms_norm_rows(const at::Tensor& x, const at::Tensor& weight, double epsilon);

/// Turns pairs of channels of x [rows, heads, tokens, head_dim]: (a, b) becomes
/// (a cos - b sin, b cos + a sin). `cosine`, `sine` [rows or 1, heads or 1, tokens or 1,
/// head_dim / 2] fp32. Neighbours (2 j, 2 j + 1) turn in fp32; halves (j, j + head_dim / 2) in the
/// type of x, cosine and sine rounded to it. The result has the type of x.
at::Tensor rotate_rows(const at::Tensor& x,
                       const at::Tensor& cosine,
                       const at::Tensor& sine,
                       bool neighbours);

}  // namespace kvscope
