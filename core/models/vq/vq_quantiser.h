#pragma once

#include <ATen/core/Tensor.h>

#include "core/checkpoint/tensor_map.h"

namespace kvscope {

/// The rows of `quantize.embedding.weight`, each divided by max(its length, 1e-12):
/// [codebook_entries, code_width].
at::Tensor vq_codebook(const TensorMap& weights);

/// Rows of `codebook` for ids [B, h, w]: [B, code_width, h, w]. Throws Error(kInput) naming the
/// first id that is none.
at::Tensor vq_lookup(const at::Tensor& codebook, const at::Tensor& ids);

/// Features [B, code_width, h, w] -> ids [B, h, w] int64 of the nearest rows of `codebook` by
/// squared distance, after both are normalised; the lowest id among equals. No gradient.
at::Tensor vq_nearest(const at::Tensor& codebook, const at::Tensor& features);

/// What training needs of one quantisation.
struct VqQuantised {
  at::Tensor features;  ///< [B, code_width, h, w] normalised; gradients reach the encoder
  at::Tensor ids;       ///< [B, h, w] int64
  at::Tensor codes;     ///< [B, code_width, h, w] nearest rows; gradients reach the codebook
  /// The codes with the gradient of the features, for the decoder.
  [[nodiscard]] at::Tensor straight_through() const;
};
VqQuantised vq_quantise(const at::Tensor& codebook, const at::Tensor& features);

}  // namespace kvscope
