#include <algorithm>

#include "core/models/caption_encoder.h"
#include "core/models/infinity/pipeline.h"
#include "core/models/infinity/vae.h"
#include "core/models/infinity/weights.h"
#include "core/models/next_scale/description.h"
#include "core/models/next_scale/schedule.h"

namespace kvscope::infinity {
namespace {

constexpr auto kFloatBytes = static_cast<int64_t>(sizeof(float));

// The last scale has the most tokens. Of a block there are then its input, five states of C and the
// feed-forward's two products; beside it the text's keys and values of all layers.
int64_t step_bytes(const ModelDescription& d, const BatchShape& batch) {
  const TransformerConfig& config = d.transformer;
  const auto [height, width] = d.image.schedule.back();
  const int64_t tokens = height * width;
  const int64_t text = batch.rows * longest_caption(d.weights == "random", config.text_max_tokens);
  const int64_t cross = 2 * config.depth * text * config.width;
  const int64_t block = batch.rows * tokens * (7 * config.width + 2 * config.ffn_width());
  const int64_t logits = 2 * batch.images * tokens * config.token_bits();
  const int64_t sampling =
      2 * batch.rows * tokens * config.width + 2 * logits + sampling_elements(logits);
  return (cross + std::max(block, sampling)) * kFloatBytes;
}

}  // namespace

ModelMemory infinity_memory(const ConfigNode& model, const BatchShape& batch) {
  const ModelDescription d = describe_model(model);
  ModelMemory memory;
  memory.weights.push_back(
      weight_part("transformer", transformer_tensors(d.transformer),
                  [type_of = next_scale_stored_type(d.precision)](const WeightSpec& spec) {
                    return type_of(spec.name, spec.shape);
                  }));
  add_caption_encoder(memory, d.text, d.weights == "random", batch.images,
                      d.transformer.text_max_tokens);
  memory.weights.push_back(
      weight_part("image decoder", vae_decoder_tensors(d.vae), next_scale_image_type(d.precision)));
  memory.activations.push_back({"steps", step_bytes(d, batch)});
  const auto last = static_cast<int64_t>(d.image.schedule.size()) - 1;
  const auto [height, width] = d.image.latent(last, d.transformer.patchify);
  const int64_t pixels = height * width * d.vae.stride() * d.vae.stride();
  memory.activations.push_back(
      image_phase(batch.images, pixels, vae_decoder_elements(d.vae, height * width)));
  return memory;
}

}  // namespace kvscope::infinity
