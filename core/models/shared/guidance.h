#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace kvscope {

/// Classifier-free guidance. Rows of a guided batch are [conditional of all images | unconditional
/// of all images], so that whoever looks at the conditional half finds it in one place. Janus
/// publishes them interleaved (even rows conditional, odd ones not); the order changes no number.

/// Interleaved rows [2 B, ...] -> halves, and back.
at::Tensor halves_of_interleaved(const at::Tensor& rows);
at::Tensor interleaved_of_halves(const at::Tensor& rows);

/// One value per step from a scalar or a list. Throws Error(kConfig) naming `what` for a wrong
/// length.
std::vector<double> per_step(const std::vector<double>& values,
                             size_t steps,
                             const std::string& what);

/// True where any step is guided: the batch is then doubled. `unguided` is the strength that means
/// none.
bool guided(const std::vector<double>& cfg, double unguided = 1.0);

/// Rows of the cache that a batch of `images` needs.
int64_t cache_rows(int64_t images, const std::vector<double>& cfg, double unguided = 1.0);

/// How a family mixes conditional and unconditional logits, operation by operation: the forms are
/// the same function of a strength, rounded otherwise.
enum class GuidanceForm : uint8_t {
  kDifference,  ///< u + s (c - u): next-token models
  kWeights,     ///< s c + (1 - s) u: Infinity
  kExcess,      ///< (1 + t) c - t u, t = s - 1: VAR; here t is the strength, and 0 means none
};

/// The logits of `images` from those of all rows [rows, ...]; those of the conditional rows where
/// only they are there, or where the strength means no guidance (kExcess then computes its form all
/// the same). The type of the logits is kept.
at::Tensor mixed(const at::Tensor& logits, int64_t images, double strength, GuidanceForm form);

}  // namespace kvscope
