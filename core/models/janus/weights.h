#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"
#include "core/models/janus/config.h"
#include "core/models/next_token/generate.h"

namespace kvscope::janus {

/// Every tensor that text to image reads, picture tokenizer not counted, in the order of the
/// published state dict, each with its Hugging Face-native name.
std::vector<WeightSpec> janus_tensors(const JanusConfig& config);

/// A published name as the Hugging Face-native checkpoints have it; of the picture tokenizer
/// (`gen_vision_model.`) the prefix only.
std::string hugging_face_name(const std::string& published);

/// The tensors of a checkpoint under the published names. Native Hugging Face names are recognised
/// by their text embedding; a "model." in front of published names (files that hold several parts)
/// goes.
TensorMap published_names(const TensorMap& checkpoint);

/// The decoder's tensors by role; handles, so gradients reach the leaves.
struct JanusWeights {
  next_token::DecoderWeights decoder;
  at::Tensor text_embedding;   ///< [text vocabulary, D], of any type: rows are widened when read
  at::Tensor image_embedding;  ///< [image vocabulary, code width]
  at::Tensor aligner_weight, aligner_bias, aligner_out_weight, aligner_out_bias;
  at::Tensor head_weight, head_bias, head_out_weight, head_out_bias;
};

/// Looks every tensor up by its published name. Throws Error(kInput) listing all missing names and
/// every wrong shape with both shapes.
JanusWeights resolve_janus(const JanusConfig& config, const TensorMap& tensors);

/// The loop's view of the model.
///   embed(id) = W_2 gelu(W_1 code[id] + b_1) + b_2;  head(h) = V_2 gelu(V_1 h + a_1) + a_2
next_token::NextTokenModel make_model(const JanusConfig& config, const JanusWeights& weights);

}  // namespace kvscope::janus
