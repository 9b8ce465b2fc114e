#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/step.h"
#include "core/models/next_scale/layers.h"
#include "core/models/var/weights.h"

namespace kvscope::var {

/// What a generation knows of its labels; computed once, shared by all scales.
struct Conditioning {
  at::Tensor embedding;               ///< [rows, C] rows of class_emb, also the start token
  std::vector<at::Tensor> adaptives;  ///< [layers] [rows, 1, 6, C]: gammas, scales, shifts
};

/// `labels`: one class per row, in 0..classes; `classes` itself is "no label".
Conditioning condition(const TransformerConfig& config,
                       const TransformerWeights& weights,
                       std::span<const int64_t> labels);

/// Tokens of scale `si` as the first block sees them, [rows, tokens, C]. `features`: the previous
/// scales' sum at this size [rows, tokens, code width]; not read on the first scale, whose tokens
/// are the class embedding.
at::Tensor embed_scale(const TransformerWeights& weights,
                       const Conditioning& conditioning,
                       const StepInfo& step,
                       const at::Tensor& features);

/// One block: x [rows, tokens, C] -> [rows, tokens, C].
///   x += SA(LN(x) (1 + scale1) + shift1) gamma1;  x += FFN(LN(x) (1 + scale2) + shift2) gamma2
at::Tensor block(const TransformerConfig& config,
                 const TransformerWeights& weights,
                 int64_t layer,
                 const at::Tensor& x,
                 const Conditioning& conditioning,
                 const SelfAttention& attend);

/// fp32 logits [rows, tokens, codes].
at::Tensor head(const TransformerWeights& weights,
                const at::Tensor& x,
                const Conditioning& conditioning);

}  // namespace kvscope::var
