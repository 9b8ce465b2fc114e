#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace kvscope::next_token {

/// Rows of a guided batch are [conditional of all images | unconditional of all images], as
/// LlamaGen publishes it and as Infinity has them, so that whoever looks at the conditional half
/// finds it in one place. Janus publishes them interleaved (even rows conditional, odd ones not);
/// the order changes no number.

/// Interleaved rows [2 B, ...] -> halves, and back.
at::Tensor halves_of_interleaved(const at::Tensor& rows);
at::Tensor interleaved_of_halves(const at::Tensor& rows);

/// True where any step is guided: the batch is then doubled. 1 is no guidance.
bool guided(const std::vector<double>& cfg);

/// One value a step from a scalar or a list. Throws Error(kConfig) naming `what` for a wrong
/// length.
std::vector<double> per_step(const std::vector<double>& values,
                             size_t steps,
                             const std::string& what);

/// Logits of the images, u + scale (c - u), from those of all rows [rows, V]; those of the
/// conditional rows where scale is 1 or only they are there. The type of the logits is kept.
at::Tensor mixed(const at::Tensor& logits, int64_t images, double scale);

/// The guidance of image token `token`: LlamaGen stops guiding where its loop index token - 1
/// exceeds `interval`, for interval > -1; the first image token is always guided.
double guidance_of_token(double scale, int64_t token, int64_t interval);

}  // namespace kvscope::next_token
