#include <algorithm>

#include "core/models/next_scale/description.h"
#include "core/models/var/pipeline.h"
#include "core/models/var/vqvae.h"
#include "core/models/var/weights.h"

namespace kvscope::var {
namespace {

constexpr auto kFloatBytes = static_cast<int64_t>(sizeof(float));

// The last scale has the most tokens. Of a block there are then its input, four states of C and the
// feed-forward's two products, or afterwards the logits of every code.
int64_t step_bytes(const ModelDescription& d, const BatchShape& batch) {
  const TransformerConfig& config = d.transformer;
  const auto [height, width] = d.schedule.back();
  const int64_t tokens = height * width;
  const int64_t block = batch.rows * tokens * (4 * config.width + 2 * config.ffn_width());
  const int64_t logits = batch.images * tokens * config.codes;
  const int64_t sampling = batch.rows * tokens * config.width + sampling_elements(logits);
  return std::max(block, sampling) * kFloatBytes;
}

}  // namespace

ModelMemory var_memory(const ConfigNode& model, const BatchShape& batch) {
  const ModelDescription d = describe_model(model);
  std::vector<WeightSpec> image = quantizer_tensors(d.vae);
  for (WeightSpec& spec : decoder_tensors(d.vae)) image.push_back(std::move(spec));
  ModelMemory memory;
  memory.weights = {
      weight_part("transformer", transformer_tensors(d.transformer, d.schedule),
                  [type_of = next_scale_stored_type(d.precision)](const WeightSpec& spec) {
                    return type_of(spec.name, spec.shape);
                  }),
      weight_part("image decoder", image, [&](const WeightSpec& spec) {
        const bool is_quantizer = spec.name.starts_with("quantize.");  // sums the scales' codes
        return is_quantizer ? at::kFloat : next_scale_image_type(d.precision);
      })};
  const auto [height, width] = d.schedule.back();
  const int64_t pixels = height * width * d.vae.stride() * d.vae.stride();
  memory.activations = {{"steps", step_bytes(d, batch)},
                        image_phase(batch.images, pixels, decoder_elements(d.vae, height * width))};
  return memory;
}

}  // namespace kvscope::var
