#include <fmt/format.h>

#include "core/models/caption_encoder.h"
#include "core/models/infinity/pipeline.h"
#include "core/models/infinity/vae.h"
#include "core/models/infinity/weights.h"

namespace kvscope::infinity {
namespace {

WeightSpec transformer_tensor(const WeightSpec& spec) {
  WeightSpec wanted = spec;
  wanted.part = "model.";
  wanted.any_layout = spec.name.ends_with("scale_mul_1H11");
  if (spec.name == "cfg_uncond") wanted.shape[0] = -1;
  constexpr std::string_view kOneChunk = "block_chunks.0.module.";
  if (spec.name.starts_with(kOneChunk)) {
    wanted.other_names = {"blocks." + spec.name.substr(kOneChunk.size())};
  }
  return wanted;
}

WeightSpec image_tensor(const WeightSpec& spec) {
  WeightSpec wanted = spec;
  wanted.part = "vae.";
  wanted.other_names = {unwrapped_name(spec.name)};
  return wanted;
}

}  // namespace

std::vector<WeightSpec> description_tensors(const ModelDescription& description) {
  std::vector<WeightSpec> specs;
  for (const WeightSpec& spec : transformer_tensors(description.transformer)) {
    specs.push_back(transformer_tensor(spec));
  }
  for (const WeightSpec& spec : vae_decoder_tensors(description.vae)) {
    specs.push_back(image_tensor(spec));
  }
  for (const WeightSpec& spec : vae_encoder_tensors(description.vae)) {
    specs.push_back(image_tensor(spec));
    specs.back().buffer = true;  // only training encodes images
  }
  const std::vector<WeightSpec> text = caption_encoder_tensors(description.text);
  specs.insert(specs.end(), text.begin(), text.end());
  return specs;
}

std::vector<WeightSpec> infinity_tensors(const ConfigNode& model) {
  return description_tensors(describe_model(model));
}

}  // namespace kvscope::infinity
