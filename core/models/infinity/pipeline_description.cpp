#include "core/models/infinity/pipeline.h"
#include "core/models/infinity/weights.h"
#include "core/models/model_keys.h"
#include "core/models/next_scale/description.h"

namespace kvscope::infinity {
namespace {

TransformerConfig read_transformer(Options& options) {
  TransformerConfig config;
  const std::string size = read_published_size(options, "transformer.size",
                                               "a published size: infinity_2b, infinity_8b, ...");
  if (!size.empty()) config = published_transformer(size);
  const auto read = [&](const char* key, int64_t& into, const char* help) {
    read_size(options, key, into, help, kOfTransformerSize);
  };
  read("transformer.depth", config.depth, "layers");
  read("transformer.chunks", config.chunks, "chunks that layers are named by");
  read("transformer.width", config.width, "channels of a token");
  read("transformer.heads", config.heads, "attention heads");
  read("transformer.feed_forward_width", config.feed_forward_width,
       "channels inside a feed-forward");
  read("transformer.text_channels", config.text_channels, "channels of the text features");
  read("transformer.text_max_tokens", config.text_max_tokens, "longest prompt in text tokens");
  read("transformer.code_bits", config.code_bits, "bits of a latent pixel");
  read_flag(options, "transformer.patchify", config.patchify, "2 x 2 latent pixels per token");
  read_flag(options, "transformer.shared_ada_lin", config.shared_ada_lin,
            "one adaLN for all blocks");
  read("transformer.rope_mode", config.rope_mode, "how positions of small scales are placed");
  // Only random weights can be cut; published names need the published chunks.
  if (cut_layers(options, config.depth)) config.chunks = 1;
  return config;
}

ImageGeometry read_image(Options& options) {
  ImageGeometry image;
  const bool given = read_schedule(options, image.schedule);
  const double ratio = options.number({.key = "picture.ratio",
                                       .default_value = 1.0,
                                       .min = 0.01,
                                       .max = 100,
                                       .help = "height / width, the nearest of 15 published ones"});
  const std::string pixels = options.word({.key = "picture.pixels",
                                           .default_value = "1M",
                                           .allowed = {"0.06M", "0.25M", "0.60M", "1M"},
                                           .help = "pixel budget"});
  if (!given) return published_geometry(ratio, pixels);
  for (const char* key : {"picture.ratio", "picture.pixels"}) {
    options.unused(key, "model.picture.schedule is given", WrittenIn::kOverride);
  }
  if (!image.schedule.empty()) image.rope_grid = image.schedule.back();
  return image;
}

VaeConfig read_vae(Options& options, const TransformerConfig& transformer) {
  VaeConfig vae = published_vae(transformer.code_bits, transformer.patchify);
  read_size(options, "vae.base_channels", vae.base_channels, "channels of the widest level");
  read_size(options, "vae.encoder_blocks", vae.encoder_blocks, "residual blocks per level");
  read_size(options, "vae.norm_groups", vae.norm_groups, "groups of a group norm");
  read_multipliers(options, "vae.channel_multipliers", vae.channel_multipliers);
  return vae;
}

}  // namespace

ModelDescription read_model(Options& options) {
  ModelDescription d;
  d.name = read_name(options);
  d.transformer = read_transformer(options);
  d.image = read_image(options);
  d.vae = read_vae(options, d.transformer);
  d.text = read_text_encoder(options);
  d.overflow = read_text_overflow(options);
  d.weights = read_weights(options);
  d.vae_weights = read_file(options, "vae_weights", "image decoder's file; null: in `weights`");
  d.text_weights = read_file(options, "text_weights", "text encoder's file; null: in `weights`");
  d.tokenizer = read_file(options, "tokenizer", "SentencePiece model of the text encoder");
  d.precision = read_precision(options);
  return d;
}

ModelDescription describe_model(const ConfigNode& model) {
  Options options("model", model);
  ModelDescription d = read_model(options);
  d.transformer.check();
  check_schedule(d.image.schedule);
  check_text_encoder(d.text, d.transformer.text_channels);
  return d;
}

CacheGeometry description_geometry(const ModelDescription& d) {
  const auto [key_type, value_type] = next_scale_cache_types(d.precision);
  return cache_geometry(d.transformer.attention(), next_scale_steps(d.image.schedule),
                        {.key = key_type, .value = value_type});
}

ModelFacts infinity_facts(const ConfigNode& model) {
  const ModelDescription d = describe_model(model);
  const auto last = static_cast<int64_t>(d.image.schedule.size()) - 1;
  const auto [height, width] = d.image.latent(last, d.transformer.patchify);
  return {.name = d.name,
          .kind = "next_scale",
          .cache = description_geometry(d),
          .parameters = parameter_count(transformer_tensors(d.transformer)),
          .image_height = height * d.vae.stride(),
          .image_width = width * d.vae.stride()};
}

}  // namespace kvscope::infinity
