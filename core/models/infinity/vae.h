#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/models/image_tensors.h"
#include "core/models/infinity/config.h"
#include "core/models/infinity/weights.h"

namespace kvscope::infinity {

/// Names and shapes of the decoder ("decoder.*") or encoder ("encoder.*"), wrapped layers as
/// published
/// ("...conv1.conv.weight", "...norm1.norm.weight").
std::vector<TensorSpec> vae_decoder_tensors(const VaeConfig& config);
/// Elements of the tensors of one image at once while so many latent pixels are decoded.
int64_t vae_decoder_elements(const VaeConfig& config, int64_t latent_pixels);
std::vector<TensorSpec> vae_encoder_tensors(const VaeConfig& config);

/// The spelling without the wrapper: "a.conv1.conv.weight" -> "a.conv1.weight".
std::string unwrapped_name(std::string name);

/// Copies of the tensors that `specs` lists, looked up under `prefix` in either published spelling
/// (with or without the ".conv"/".norm" wrapper). Throws Error(kInput) listing what is missing or
/// has another shape.
TensorMap resolve_vae(const std::vector<TensorSpec>& specs,
                      const TensorMap& tensors,
                      const std::string& prefix = "");

/// Convolutions with Kaiming-uniform weights, norms at 1 and 0.
TensorMap random_vae(const std::vector<TensorSpec>& specs, at::Generator generator);

/// Latent [B, d, h, w] -> image [B, 3, h * stride, w * stride], before clamping.
at::Tensor vae_decode(const VaeConfig& config, const TensorMap& weights, const at::Tensor& latent);

/// The same, an image at a time, so that working memory does not grow with the batch.
at::Tensor vae_decode_one_by_one(const VaeConfig& config,
                                 const TensorMap& weights,
                                 const at::Tensor& latent);

/// Image [B, 3, H, W] in [-1, 1] -> features [B, d, H / stride, W / stride].
at::Tensor vae_encode(const VaeConfig& config, const TensorMap& weights, const at::Tensor& image);

}  // namespace kvscope::infinity
