#include "core/models/next_scale/description.h"

#include "core/models/model_keys.h"
#include "core/models/var/generate.h"
#include "core/models/var/pipeline.h"
#include "core/models/var/vqvae.h"
#include "core/models/var/weights.h"

namespace kvscope::var {
namespace {

void read_transformer(const ConfigNode& model, TransformerConfig& config) {
  read(model, "transformer.depth", config.depth);
  read(model, "transformer.width", config.width);
  read(model, "transformer.heads", config.heads);
  read(model, "transformer.classes", config.classes);
  read(model, "transformer.shared_ada_lin", config.shared_ada_lin);
  read(model, "vae.codes", config.codes);
  read(model, "vae.code_width", config.code_width);
  cut_layers(model, config.depth);
  config.check();
}

void read_vae(const ConfigNode& model, const TransformerConfig& transformer, VqvaeConfig& config) {
  config.codes = transformer.codes;
  config.code_width = transformer.code_width;
  read(model, "vae.base_channels", config.base_channels);
  read(model, "vae.encoder_blocks", config.encoder_blocks);
  read(model, "vae.norm_groups", config.norm_groups);
  read(model, "vae.phis", config.phis);
  if (const ConfigNode* multipliers = given(model, "vae.channel_multipliers")) {
    config.channel_multipliers = multipliers->as_int64_list();
  }
  config.check();
}

CacheGeometry geometry_of(const ModelDescription& d) {
  const auto [key_type, value_type] = next_scale_cache_types(d.precision);
  return cache_geometry(d.transformer.attention(), next_scale_steps(d.schedule),
                        {.key = key_type, .value = value_type});
}

}  // namespace

ModelDescription describe_model(const ConfigNode& model) {
  ModelDescription d;
  d.name = model.at("name").as_string();
  if (const ConfigNode* size = given(model, "transformer.size")) {
    PublishedModel published = published_model(size->as_string());
    d.transformer = published.transformer;
    d.schedule = std::move(published.schedule);
  }
  read_transformer(model, d.transformer);
  read_schedule(model, d.schedule);
  read_vae(model, d.transformer, d.vae);
  d.weights = "random";
  read(model, "weights", d.weights);
  read(model, "vae_weights", d.vae_weights);
  d.precision = model.at("precision").as_string();
  return d;
}

ModelFacts var_facts(const ConfigNode& model) {
  const ModelDescription d = describe_model(model);
  const auto [height, width] = d.schedule.back();
  return {.name = d.name,
          .kind = "next_scale",
          .cache = geometry_of(d),
          .parameters = parameter_count(transformer_tensors(d.transformer, d.schedule)),
          .picture_height = height * d.vae.stride(),
          .picture_width = width * d.vae.stride(),
          .unguided = kUnguided};
}

std::vector<WeightSpec> var_tensors(const ConfigNode& model) {
  return description_tensors(describe_model(model));
}

std::vector<WeightSpec> description_tensors(const ModelDescription& description) {
  std::vector<WeightSpec> specs =
      transformer_tensors(description.transformer, description.schedule);
  for (auto& part : {quantizer_tensors(description.vae), decoder_tensors(description.vae)}) {
    specs.insert(specs.end(), part.begin(), part.end());
  }
  // A statistic of training that the published file carries along.
  specs.push_back({.name = "quantize.ema_vocab_hit_SV",
                   .shape = {-1, description.vae.codes},
                   .buffer = true,
                   .part = "vae."});
  specs.push_back(unneeded_tensors("encoder.", "vae."));
  specs.push_back(unneeded_tensors("quant_conv.", "vae."));
  return specs;
}

}  // namespace kvscope::var
