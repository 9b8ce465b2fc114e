#pragma once

#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"
#include "core/models/next_token/decoder.h"

namespace kvscope::next_token {

/// What a family calls a decoder's tensors; those of a layer without the layer's number before.
struct DecoderNames {
  std::string layers;  ///< in front of the number: "layers."
  /// Projections of queries, keys and values, or a single one whose rows are q | k | v, which is
  /// D + 2 D_kv of them.
  std::vector<std::string> attention;
  std::string output, gate, up, down, attention_norm, feed_forward_norm;
  std::string norm;  ///< the final one, whole
  /// Of the query/key norm, where the decoder has one; ".weight" and ".bias" follow.
  std::string query_norm = {}, key_norm = {};
};

/// Those of transformers' Llama and Chameleon classes: `prefix` "model." gives
/// "model.layers.0.self_attn.q_proj.weight" and so on.
DecoderNames llama_names(const std::string& prefix);

/// Every tensor of all layers, then the final norm, in the order of the published state dicts.
std::vector<WeightSpec> decoder_tensors(const DecoderConfig& config, const DecoderNames& names);

/// The decoder's tensors by role, out of a map that has them all; handles and views, so gradients
/// reach the leaves.
DecoderWeights decoder_weights(const DecoderConfig& config,
                               const DecoderNames& names,
                               const TensorMap& tensors);

}  // namespace kvscope::next_token
