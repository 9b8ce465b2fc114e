#include "core/models/infinity/teacher_forcing.h"

#include <ATen/ATen.h>

#include <limits>

namespace kvscope::infinity {
namespace {

// Additive [1, 1, tokens, tokens]: 0 where the key's scale is not later than the query's, else
// -inf.
at::Tensor block_causal_mask(const ImageGeometry& image,
                             int64_t scales,
                             at::TensorOptions options) {
  std::vector<at::Tensor> scale_of_token;
  for (int64_t si = 0; si < scales; ++si) {
    const auto [height, width] = image.schedule.at(static_cast<size_t>(si));
    scale_of_token.push_back(at::full({height * width}, si, options.dtype(at::kLong)));
  }
  const at::Tensor scale = at::cat(scale_of_token);
  const at::Tensor later = scale.unsqueeze(0) > scale.unsqueeze(1);
  return at::zeros({scale.size(0), scale.size(0)}, options.dtype(at::kFloat))
      .masked_fill_(later, -std::numeric_limits<float>::infinity())
      .unsqueeze(0)
      .unsqueeze(0);
}

}  // namespace

at::Tensor teacher_forcing(const TransformerConfig& config,
                           const TransformerWeights& weights,
                           const ImageGeometry& image,
                           const Conditioning& conditioning,
                           const std::vector<at::Tensor>& inputs,
                           int64_t scales) {
  std::vector<at::Tensor> parts;
  std::vector<at::Tensor> cosines;
  std::vector<at::Tensor> sines;
  for (int64_t si = 0; si < scales; ++si) {
    const at::Tensor start = si == 0 ? conditioning.pooled.unsqueeze(1) + weights.pos_start
                                     : at::linear(inputs.at(static_cast<size_t>(si - 1)),
                                                  weights.word_weight, weights.word_bias);
    parts.push_back(start + weights.level_embedding.select(0, si));
    const Rotation rotation = scale_rotation(config, image, si);
    cosines.push_back(rotation.cosine.to(start.device()));
    sines.push_back(rotation.sine.to(start.device()));
  }
  at::Tensor x = at::cat(parts, 1);
  const Rotation rotation{
      .cosine = at::cat(cosines), .sine = at::cat(sines), .pairs = RotationPairs::kNeighbours};
  const at::Tensor mask = block_causal_mask(image, scales, x.options());
  const SelfAttention attend = [&](int64_t, const at::Tensor& q, const at::Tensor& k,
                                   const at::Tensor& v, const at::Tensor&, const at::Tensor&) {
    return at::scaled_dot_product_attention(q, k, v, mask.expand({q.size(0), 1, -1, -1}), 0.0,
                                            false, /*scale=*/1.0);
  };
  const std::vector<CrossKeysValues> text = cross_keys_values(config, weights, conditioning);
  for (int64_t layer = 0; layer < config.depth; ++layer) {
    x = block(config, weights, layer, x, rotation, conditioning, text[static_cast<size_t>(layer)],
              attend);
  }
  return head(weights, x, conditioning.pooled);
}

}  // namespace kvscope::infinity
