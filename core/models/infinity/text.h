#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/models/infinity/weights.h"

namespace kvscope::infinity {

/// Text features of a batch, right-padded: features [rows, tokens, Ct] fp32, lengths [rows].
struct TextFeatures {
  at::Tensor features;
  std::vector<int64_t> lengths;
};

/// What a generation knows of its prompts; computed once per image, shared by all steps.
struct Conditioning {
  at::Tensor pooled;      ///< [rows, C] adaLN condition, also the start token
  at::Tensor shared_ada;  ///< [rows, 1, 6, C]; undefined without shared adaLN
  at::Tensor context;     ///< [rows, tokens, C] for cross-attention
  at::Tensor mask;        ///< additive [rows, 1, 1, tokens] fp32: 0 on text, -inf on padding
};

/// `cond` above `uncond`: [cond_0 .. cond_B-1, uncond_0 ..]. Unconditional rows are the first
/// length_i rows of the learned cfg_uncond, as long as their own prompt.
TextFeatures with_unconditional(const TransformerWeights& weights, const TextFeatures& text);

/// As above with a negative prompt's features in place of cfg_uncond.
TextFeatures with_negative(const TextFeatures& text, const TextFeatures& negative);

/// RMS-normalises the features, pools them with the learned query, projects the cross-attention
/// context.
Conditioning condition(const TransformerConfig& config,
                       const TransformerWeights& weights,
                       const TextFeatures& text);

}  // namespace kvscope::infinity
