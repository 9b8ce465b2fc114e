#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"
#include "core/models/var/config.h"

namespace kvscope::var {

/// What turns ids into features: codebook and residual convolutions ("quantize.*"), by bare names;
/// in a file of all parts they are below "vae.".
std::vector<WeightSpec> quantizer_tensors(const VqvaeConfig& config);
/// What turns features into images: "post_quant_conv" and "decoder.*".
std::vector<WeightSpec> decoder_tensors(const VqvaeConfig& config);

/// Elements of the tensors at once while an image of so many latent pixels is decoded.
int64_t decoder_elements(const VqvaeConfig& config, int64_t latent_pixels);

/// The tensors of `specs` under their published names, found below `prefix`, in fp32. Throws
/// Error(kInput) listing what is missing or has another shape.
TensorMap resolve_vqvae(const std::vector<WeightSpec>& specs,
                        const TensorMap& tensors,
                        const std::string& prefix = "");

TensorMap random_vqvae(const std::vector<WeightSpec>& specs, at::Generator generator);

/// Adds scale `si`'s codes to the features of all scales so far [B, code width, H, W]: looked up,
/// enlarged to the last scale's size (bicubic, a = -0.75, no antialias; not on the last scale) and
/// passed through its phi(h) = (h + conv(h)) / 2. `ids` int64 [B, tokens].
at::Tensor accumulate(const VqvaeConfig& config,
                      const TensorMap& weights,
                      const at::Tensor& features,
                      const at::Tensor& ids,
                      const ScaleSchedule& schedule,
                      int64_t si);

/// Input of scale `si`: the mean of the features over each of its cells, [B, tokens, code width].
at::Tensor next_input(const at::Tensor& features, const ScaleSchedule& schedule, int64_t si);

/// Features [B, code width, h, w] -> images [B, 3, h * stride, w * stride], before clamping. One
/// image at a time, so that working memory does not grow with the batch.
at::Tensor vqvae_decode(const VqvaeConfig& config,
                        const TensorMap& weights,
                        const at::Tensor& features);

}  // namespace kvscope::var
