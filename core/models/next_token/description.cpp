#include "core/models/next_token/description.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/models/model_keys.h"

namespace kvscope::next_token {
namespace {

constexpr int64_t kMostImageTokens = 16384;  // 2048 x 2048 pixels at 16 a token

void read_vq(Options& options, VqConfig& vq) {
  const std::string size =
      read_published_size(options, "vq.size", "a published VQ tokenizer: vq_16 or vq_8");
  if (!size.empty()) vq = published_vq(size);
  const auto read = [&](const char* key, int64_t& into, const char* help) {
    read_size(options, key, into, help, "that of vq.size");
  };
  read("vq.base_channels", vq.base_channels, "channels of the finest level");
  read("vq.encoder_blocks", vq.encoder_blocks, "residual blocks a level");
  read("vq.latent_channels", vq.latent_channels, "channels between the networks and the codebook");
  read("vq.codebook_entries", vq.codebook_entries, "entries of the codebook: the image vocabulary");
  read("vq.code_width", vq.code_width, "channels of an entry");
  read("vq.norm_groups", vq.norm_groups, "groups of a group norm");
  read_multipliers(options, "vq.channel_multipliers", vq.channel_multipliers);
}

void read_grid(Options& options, ModelDescription& d) {
  const std::vector<int64_t> sides =
      options.integers({.key = "picture.grid",
                        .default_value = std::vector<int64_t>{d.grid_height, d.grid_width},
                        .unit = "tokens",
                        .help = "[height, width] of the picture"});
  const bool fits = sides.size() == 2 && sides[0] >= 1 && sides[1] >= 1 &&
                    sides[0] <= kMostImageTokens && sides[1] <= kMostImageTokens / sides[0];
  if (!fits) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: [height, width] in tokens, at most {} of them, such as [24, 24]",
                            options.place("picture.grid"), kMostImageTokens));
  }
  d.grid_height = sides[0];
  d.grid_width = sides[1];
}

}  // namespace

void read_description(Options& options, ModelDescription& d) {
  const auto read = [&](const char* key, int64_t& into, const char* help) {
    read_size(options, key, into, help, kOfTransformerSize);
  };
  d.name = read_name(options);
  read("transformer.depth", d.decoder.layers, "layers");
  read("transformer.width", d.decoder.width, "channels of a token");
  read("transformer.heads", d.decoder.heads, "attention heads");
  read("transformer.kv_heads", d.decoder.kv_heads,
       "heads of keys and values, each read by as many attention heads; 0: all of them");
  read("transformer.feed_forward_width", d.decoder.feed_forward_width,
       "channels inside a feed-forward");
  cut_layers(options, d.decoder.layers);
  read_vq(options, d.vq);
  read_grid(options, d);
  const std::string precision = read_precision(options);
  d.weight_type = precision == "reference" ? at::kBFloat16 : at::kFloat;
  d.cache_type = precision == "fp32" ? at::kFloat : at::kBFloat16;
  d.weights = read_weights(options);
  d.vae_weights = read_file(options, "vae_weights", "picture tokenizer's file; null: in `weights`");
  d.tokenizer = read_file(options, "tokenizer", "file of the text tokenizer");
}

CacheGeometry ModelDescription::cache(int64_t condition_tokens) const {
  CacheGeometry geometry =
      cache_geometry(decoder.attention(), next_token_steps(condition_tokens, image_tokens()),
                     {.key = cache_type, .value = cache_type, .step = weight_type});
  geometry.line_tokens = grid_width;
  return geometry;
}

ModelFacts describe(const ModelDescription& d, int64_t condition_tokens, int64_t parameters) {
  ModelFacts facts;
  facts.name = d.name;
  facts.kind = "next_token";
  facts.cache = d.cache(condition_tokens);
  facts.parameters = parameters;
  facts.picture_height = d.grid_height * d.vq.stride();
  facts.picture_width = d.grid_width * d.vq.stride();
  return facts;
}

}  // namespace kvscope::next_token
