#pragma once

#include <ATen/core/Generator.h>

#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"
#include "core/models/image_layers.h"
#include "core/models/vq/vq_config.h"

namespace kvscope {

/// What ids -> images reads: decoder, codebook, post_quant_conv.
std::vector<WeightSpec> vq_decoder_tensors(const VqConfig& config);
/// Elements of the tensors at once while an image of so many tokens is decoded.
int64_t vq_decoder_elements(const VqConfig& config, int64_t tokens);
/// What images -> ids reads: encoder, codebook, quant_conv.
std::vector<WeightSpec> vq_encoder_tensors(const VqConfig& config);
/// Every tensor, in the order of the published state dict.
std::vector<WeightSpec> vq_tensors(const VqConfig& config);

/// What a model that makes images asks of the tokenizer's checkpoint, names below `part`: the
/// decoder's tensors in either spelling; the encoder and a statistic of training may lie beside
/// them.
std::vector<WeightSpec> vq_checkpoint_tensors(const VqConfig& config, const std::string& part);

/// A published name in the spelling of the Hugging Face-native Janus checkpoints, both without
/// prefix: "decoder.conv_blocks.0.res.1.norm1.weight" -> "decoder.up.0.block.1.norm1.weight".
std::string vq_hugging_face_name(const std::string& name);

/// The tensors of `specs` below `prefix` in either spelling, under their published names without
/// prefix, in `type` (shared where they are that already, so that gradients reach them). Throws
/// Error(kInput) listing what is missing or has another shape.
TensorMap resolve_vq(const std::vector<WeightSpec>& specs,
                     const TensorMap& tensors,
                     const std::string& prefix,
                     at::ScalarType type = at::kFloat);

/// Fresh weights: Kaiming-uniform convolutions, codebook rows in directions sampled evenly.
TensorMap random_vq(const std::vector<WeightSpec>& specs, at::Generator generator);

/// How the published VQ tokenizers name their layers.
ImageNetworkStyle vq_style(const VqConfig& config);

}  // namespace kvscope
