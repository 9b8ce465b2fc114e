#include "core/models/next_token/memory.h"

#include <algorithm>

#include "core/models/next_token/family_tensors.h"
#include "core/models/vq/vq_tensors.h"

namespace kvscope::next_token {
namespace {

constexpr auto kFloatBytes = static_cast<int64_t>(sizeof(float));

WeightPart transformer_part(const NextTokenFamily& family, const ModelDescription& model) {
  const std::vector<std::string>& kept = family.names.kept_as_stored;
  return weight_part(
      "transformer", transformer_tensors(family, model), [&](const WeightSpec& spec) {
        const bool is_as_in_file =
            model.weights != "random" && std::ranges::find(kept, spec.name) != kept.end();
        return is_as_in_file ? at::kBFloat16 : stored_type(family, model, spec.name, spec.shape);
      });
}

/// Of the matrix that a prefill reads widened.
int64_t widened_bytes(const ModelDescription& model) {
  if (model.matrix_type == model.weight_type) return 0;
  const DecoderConfig& decoder = model.decoder;
  return decoder.width * std::max(decoder.width, decoder.feed_forward_width) *
         static_cast<int64_t>(c10::elementSize(model.weight_type));
}

// The widest points of a layer are the feed-forward, whose four products are there until the last
// of them is multiplied, and the attention, with q, k and v before and after they are turned.
int64_t step_bytes(const ModelDescription& model, const BatchShape& batch) {
  const DecoderConfig& decoder = model.decoder;
  const auto element = static_cast<int64_t>(c10::elementSize(model.weight_type));
  const int64_t prefill = batch.rows * model.condition.tokens();
  const int64_t widest =
      std::max(4 * decoder.width + 4 * decoder.feed_forward_width, 10 * decoder.width);
  const int64_t rotation = 2 * model.positions() * decoder.head_dim() * kFloatBytes;
  const int64_t vocabulary = model.vq.codebook_entries;
  const int64_t sampling = batch.rows * vocabulary + sampling_elements(batch.images * vocabulary);
  // The condition stays until the end.
  const int64_t condition = prefill * decoder.width * element + rotation;
  return condition +
         std::max(prefill * widest * element + widened_bytes(model), sampling * kFloatBytes);
}

}  // namespace

ModelMemory memory_of(const NextTokenFamily& family,
                      const ModelDescription& model,
                      const BatchShape& batch) {
  ModelMemory memory;
  memory.weights.push_back(transformer_part(family, model));
  const ConditionConfig& condition = model.condition;
  if (condition.kind == ConditionKind::kFeatures) {
    add_caption_encoder(memory, condition.text_encoder, model.weights == "random", batch.images,
                        condition.text_tokens);
  }
  memory.weights.push_back(
      weight_part("image decoder", vq_decoder_tensors(model.vq), model.image_type));
  memory.activations.push_back({"steps", step_bytes(model, batch)});
  const int64_t pixels = model.image_tokens() * model.vq.stride() * model.vq.stride();
  memory.activations.push_back(
      image_phase(batch.images, pixels, vq_decoder_elements(model.vq, model.image_tokens())));
  return memory;
}

}  // namespace kvscope::next_token
