#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"
#include "core/models/llamagen/config.h"
#include "core/models/next_token/generate.h"

namespace kvscope::llamagen {

/// Every tensor of the transformer, in the order of the published state dict.
std::vector<WeightSpec> llamagen_tensors(const LlamaGenConfig& config);

/// Parameters, as published: the learned text features of "no caption" are a buffer there.
int64_t llamagen_parameters(const LlamaGenConfig& config);

/// The transformer's tensors by role; handles and views, so gradients reach the leaves.
struct LlamaGenWeights {
  next_token::DecoderWeights decoder;
  at::Tensor token_embedding;     ///< [image vocabulary, D]
  at::Tensor output;              ///< [image vocabulary, D]
  at::Tensor class_embedding;     ///< [classes + 1, D], the last row the null class
  at::Tensor no_caption;          ///< [caption tokens, caption channels]
  at::Tensor caption1, caption2;  ///< [D, caption channels], [D, D]
};

/// Looks every tensor up by its published name. Throws Error(kInput) listing all missing names and
/// every wrong shape with both shapes.
LlamaGenWeights resolve_llamagen(const LlamaGenConfig& config, const TensorMap& tensors);

/// The loop's view of the model; its logits are fp32 whatever the weights are.
next_token::NextTokenModel make_model(const LlamaGenConfig& config, const LlamaGenWeights& weights);

}  // namespace kvscope::llamagen
