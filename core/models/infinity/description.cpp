#include "core/models/next_scale/description.h"

#include "core/models/infinity/pipeline.h"
#include "core/models/infinity/weights.h"
#include "core/models/model_keys.h"

namespace kvscope::infinity {
namespace {

TransformerConfig transformer_of(const ConfigNode& model) {
  TransformerConfig config;
  if (const ConfigNode* size = given(model, "transformer.size")) {
    config = published_transformer(size->as_string());
  }
  read(model, "transformer.depth", config.depth);
  read(model, "transformer.chunks", config.chunks);
  read(model, "transformer.width", config.width);
  read(model, "transformer.heads", config.heads);
  read(model, "transformer.feed_forward_width", config.feed_forward_width);
  read(model, "transformer.text_channels", config.text_channels);
  read(model, "transformer.text_max_tokens", config.text_max_tokens);
  read(model, "transformer.code_bits", config.code_bits);
  read(model, "transformer.patchify", config.patchify);
  read(model, "transformer.shared_ada_lin", config.shared_ada_lin);
  read(model, "transformer.rope_mode", config.rope_mode);
  // Only random weights can be cut; published names need the published chunks.
  if (cut_layers(model, config.depth)) config.chunks = 1;
  config.check();
  return config;
}

PictureGeometry picture_of(const ConfigNode& model) {
  if (given(model, "picture.schedule") == nullptr) {
    return published_geometry(model.at("picture.ratio").as_double(),
                              model.at("picture.pixels").as_string());
  }
  PictureGeometry picture;
  read_schedule(model, picture.schedule);
  picture.rope_grid = picture.schedule.back();
  return picture;
}

}  // namespace

ModelDescription describe_model(const ConfigNode& model) {
  ModelDescription d;
  d.name = model.at("name").as_string();
  d.transformer = transformer_of(model);
  d.picture = picture_of(model);
  d.vae = published_vae(d.transformer.code_bits, d.transformer.patchify);
  read(model, "vae.base_channels", d.vae.base_channels);
  read(model, "vae.encoder_blocks", d.vae.encoder_blocks);
  read(model, "vae.norm_groups", d.vae.norm_groups);
  if (const ConfigNode* multipliers = given(model, "vae.channel_multipliers")) {
    d.vae.channel_multipliers = multipliers->as_int64_list();
  }
  d.text = read_text_encoder(model, d.transformer.text_channels);
  read(model, "weights", d.weights);
  read(model, "vae_weights", d.vae_weights);
  read(model, "text_weights", d.text_weights);
  read(model, "tokenizer", d.tokenizer);
  d.precision = model.at("precision").as_string();
  return d;
}

CacheGeometry description_geometry(const ModelDescription& d) {
  const auto [key_type, value_type] = next_scale_cache_types(d.precision);
  return cache_geometry(d.transformer.attention(), next_scale_steps(d.picture.schedule),
                        {.key = key_type, .value = value_type});
}

ModelFacts infinity_facts(const ConfigNode& model) {
  const ModelDescription d = describe_model(model);
  const auto last = static_cast<int64_t>(d.picture.schedule.size()) - 1;
  const auto [height, width] = d.picture.latent(last, d.transformer.patchify);
  return {.name = d.name,
          .kind = "next_scale",
          .cache = description_geometry(d),
          .parameters = parameter_count(transformer_tensors(d.transformer)),
          .picture_height = height * d.vae.stride(),
          .picture_width = width * d.vae.stride()};
}

}  // namespace kvscope::infinity
