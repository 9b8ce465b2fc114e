#include "core/models/model_keys.h"
#include "core/models/next_scale/description.h"
#include "core/models/var/generate.h"
#include "core/models/var/pipeline.h"
#include "core/models/var/vqvae.h"
#include "core/models/var/weights.h"

namespace kvscope::var {
namespace {

void read_transformer(Options& options, TransformerConfig& config) {
  const auto read = [&](const char* key, int64_t& into, const char* help) {
    read_size(options, key, into, help, kOfTransformerSize);
  };
  read("transformer.depth", config.depth, "layers");
  read("transformer.width", config.width, "channels of a token");
  read("transformer.heads", config.heads, "attention heads");
  read("transformer.classes", config.classes, "labels, without the null class");
  read_flag(options, "transformer.shared_ada_lin", config.shared_ada_lin,
            "one adaLN for all blocks");
  read("vae.codes", config.codes, "entries of the codebook");
  read("vae.code_width", config.code_width, "channels of an entry");
  cut_layers(options, config.depth);
}

void read_vae(Options& options, const TransformerConfig& transformer, VqvaeConfig& config) {
  config.codes = transformer.codes;
  config.code_width = transformer.code_width;
  read_size(options, "vae.base_channels", config.base_channels, "channels of the finest level");
  read_size(options, "vae.encoder_blocks", config.encoder_blocks, "residual blocks per level");
  read_size(options, "vae.norm_groups", config.norm_groups, "groups of a group norm");
  read_size(options, "vae.phis", config.phis, "residual convolutions that the scales share");
  read_multipliers(options, "vae.channel_multipliers", config.channel_multipliers);
}

CacheGeometry geometry_of(const ModelDescription& d) {
  const auto [key_type, value_type] = next_scale_cache_types(d.precision);
  return cache_geometry(d.transformer.attention(), next_scale_steps(d.schedule),
                        {.key = key_type, .value = value_type});
}

}  // namespace

ModelDescription read_model(Options& options) {
  ModelDescription d;
  d.name = read_name(options);
  const std::string size =
      read_published_size(options, "transformer.size", "a published size: var_d16, var_d20, ...");
  if (!size.empty()) {
    PublishedModel published = published_model(size);
    d.transformer = published.transformer;
    d.schedule = std::move(published.schedule);
  }
  read_transformer(options, d.transformer);
  read_schedule(options, d.schedule);
  read_vae(options, d.transformer, d.vae);
  d.weights = read_weights(options);
  d.vae_weights = read_file(options, "vae_weights", "image decoder's file; null: in `weights`");
  d.precision = read_precision(options);
  return d;
}

ModelDescription describe_model(const ConfigNode& model) {
  Options options("model", model);
  ModelDescription d = read_model(options);
  d.transformer.check();
  check_schedule(d.schedule);
  d.vae.check();
  return d;
}

ModelFacts var_facts(const ConfigNode& model) {
  const ModelDescription d = describe_model(model);
  const auto [height, width] = d.schedule.back();
  return {.name = d.name,
          .kind = "next_scale",
          .cache = geometry_of(d),
          .parameters = parameter_count(transformer_tensors(d.transformer, d.schedule)),
          .image_height = height * d.vae.stride(),
          .image_width = width * d.vae.stride(),
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
