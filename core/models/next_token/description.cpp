#include "core/models/next_token/description.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/models/model_keys.h"
#include "core/models/next_token/family.h"
#include "core/models/require_geometry.h"

namespace kvscope::next_token {
namespace {

constexpr int64_t kMostImageTokens = 16384;  // 2048 x 2048 pixels at 16 per token

void read_published(const NextTokenFamily& family, Options& options, DecoderConfig& decoder) {
  std::vector<std::string> names;
  for (const PublishedSize& size : family.sizes) names.push_back(size.name);
  const std::string help = names.size() == 2  ? names[0] + " or " + names[1]
                           : names.size() > 2 ? names[0] + ", " + names[1] + ", ..."
                                              : names.front();
  const std::string name =
      read_published_size(options, "transformer.size", "a published size: " + help);
  if (name.empty()) return;
  for (const PublishedSize& size : family.sizes) {
    if (size.name != name) continue;
    decoder.layers = size.layers;
    decoder.heads = size.heads;
    decoder.width = size.width;
    decoder.feed_forward_width = size.feed_forward_width;
    return;
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("unknown {} size '{}'. {}", family.title, name, suggestion(name, names)));
}

void read_decoder(Options& options, const std::string& default_from, DecoderConfig& decoder) {
  const auto read = [&](const char* key, int64_t& into, const char* help) {
    read_size(options, key, into, help, default_from);
  };
  read("transformer.depth", decoder.layers, "layers");
  read("transformer.width", decoder.width, "channels of a token");
  read("transformer.heads", decoder.heads, "attention heads");
  read("transformer.kv_heads", decoder.kv_heads,
       "heads of keys and values, each read by as many attention heads; 0: all of them");
  read("transformer.feed_forward_width", decoder.feed_forward_width,
       "channels inside a feed-forward");
  cut_layers(options, decoder.layers);
}

void read_vq(Options& options, VqConfig& vq) {
  const std::string size =
      read_published_size(options, "vq.size", "a published VQ tokenizer: vq_16 or vq_8");
  if (!size.empty()) vq = published_vq(size);
  const auto read = [&](const char* key, int64_t& into, const char* help) {
    read_size(options, key, into, help, "that of vq.size");
  };
  read("vq.base_channels", vq.base_channels, "channels of the finest level");
  read("vq.encoder_blocks", vq.encoder_blocks, "residual blocks per level");
  read("vq.latent_channels", vq.latent_channels, "channels between the networks and the codebook");
  read("vq.codebook_entries", vq.codebook_entries, "entries of the codebook: the image vocabulary");
  read("vq.code_width", vq.code_width, "channels of an entry");
  read("vq.norm_groups", vq.norm_groups, "groups of a group norm");
  read_multipliers(options, "vq.channel_multipliers", vq.channel_multipliers);
}

void read_grid(Options& options, ModelDescription& model) {
  const std::vector<int64_t> sides =
      options.integers({.key = "picture.grid",
                        .default_value = std::vector<int64_t>{model.grid_height, model.grid_width},
                        .unit = "tokens",
                        .help = "[height, width] of the image"});
  const bool fits = sides.size() == 2 && sides[0] >= 1 && sides[1] >= 1 &&
                    sides[0] <= kMostImageTokens && sides[1] <= kMostImageTokens / sides[0];
  if (!fits) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: [height, width] in tokens, at most {} of them, such as [24, 24]",
                            options.place("picture.grid"), kMostImageTokens));
  }
  model.grid_height = sides[0];
  model.grid_width = sides[1];
}

void check_condition(const ConditionConfig& condition) {
  if (condition.kind == ConditionKind::kClass) {
    require_geometry(condition.classes > 0,
                     fmt::format("transformer.classes {} must be positive", condition.classes));
    return;
  }
  const bool tokens = condition.kind == ConditionKind::kTokens;
  const int64_t least = tokens ? 2 : 1;  // the first id and the last one frame every prompt
  require_geometry(
      condition.text_tokens >= least && condition.text_tokens <= 16384,
      fmt::format("transformer.text_max_tokens {} not in {}..16384", condition.text_tokens, least));
  if (tokens) {
    require_geometry(
        condition.text_vocabulary > 0,
        fmt::format("transformer.text_vocabulary {} must be positive", condition.text_vocabulary));
  } else {
    require_geometry(
        condition.text_channels > 0,
        fmt::format("transformer.text_channels {} must be positive", condition.text_channels));
  }
}

}  // namespace

ModelDescription read_description(const NextTokenFamily& family, Options& options) {
  ModelDescription model = family.defaults;
  if (!family.sizes.empty()) read_published(family, options, model.decoder);
  model.name = read_name(options);
  read_decoder(options, family.sizes.empty() ? "" : kOfTransformerSize, model.decoder);
  read_vq(options, model.vq);
  read_grid(options, model);
  const std::string precision = read_precision(options);
  model.weight_type = precision == "reference" ? at::kBFloat16 : at::kFloat;
  model.cache_type = precision == "fp32" ? at::kFloat : at::kBFloat16;
  const bool compact_weights = precision == kCompactWeights;
  model.matrix_type = compact_weights ? at::kBFloat16 : model.weight_type;
  model.image_type = compact_weights ? at::kBFloat16 : at::kFloat;
  model.weights = read_weights(options);
  model.vae_weights =
      read_file(options, "vae_weights", "image tokenizer's file; null: in `weights`");
  model.tokenizer = read_file(options, "tokenizer", "file of the text tokenizer");
  if (family.read != nullptr) family.read(options, model);
  return model;
}

void check(const NextTokenFamily& family, const ModelDescription& model) {
  model.vq.check();
  model.decoder.check(family.head_dim_multiple);
  check_condition(model.condition);
  require_geometry(
      model.vq.codebook_entries <= 65536,
      fmt::format("vq.codebook_entries {} not in 1..65536", model.vq.codebook_entries));
  require_geometry(model.grid_height > 0 && model.grid_width > 0, "the image has no tokens");
}

ModelDescription describe(const NextTokenFamily& family, const ConfigNode& model) {
  Options options("model", model);
  ModelDescription description = read_description(family, options);
  check(family, description);
  if (description.condition.kind == ConditionKind::kFeatures) {
    check_text_encoder(description.condition.text_encoder, description.condition.text_channels);
  }
  return description;
}

CacheGeometry ModelDescription::cache() const {
  CacheGeometry geometry =
      cache_geometry(decoder.attention(), next_token_steps(condition.tokens(), image_tokens()),
                     {.key = cache_type, .value = cache_type, .step = weight_type});
  geometry.line_tokens = grid_width;
  return geometry;
}

}  // namespace kvscope::next_token
