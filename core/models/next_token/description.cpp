#include "core/models/next_token/description.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/models/model_keys.h"

namespace kvscope::next_token {
namespace {

constexpr int64_t kMostImageTokens = 16384;  // 2048 x 2048 pixels at 16 a token

void read_vq(const ConfigNode& model, VqConfig& vq) {
  if (const ConfigNode* size = given(model, "vq.size")) vq = published_vq(size->as_string());
  read(model, "vq.base_channels", vq.base_channels);
  read(model, "vq.encoder_blocks", vq.encoder_blocks);
  read(model, "vq.latent_channels", vq.latent_channels);
  read(model, "vq.codebook_entries", vq.codebook_entries);
  read(model, "vq.code_width", vq.code_width);
  read(model, "vq.norm_groups", vq.norm_groups);
  if (const ConfigNode* multipliers = given(model, "vq.channel_multipliers")) {
    vq.channel_multipliers = multipliers->as_int64_list();
  }
  vq.check();
}

void read_grid(const ConfigNode& model, ModelDescription& d) {
  const ConfigNode* grid = given(model, "picture.grid");
  if (grid == nullptr) return;
  const std::vector<int64_t> sides = grid->as_int64_list();
  const bool fits = sides.size() == 2 && sides[0] >= 1 && sides[1] >= 1 &&
                    sides[0] <= kMostImageTokens && sides[1] <= kMostImageTokens / sides[0];
  if (!fits) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: model.picture.grid is [height, width] in tokens, at most {} of "
                            "them, such as [24, 24]",
                            grid->origin().text(), kMostImageTokens));
  }
  d.grid_height = sides[0];
  d.grid_width = sides[1];
}

void read_precision(const ConfigNode& model, ModelDescription& d) {
  const std::string& precision = model.at("precision").as_string();
  if (precision != "fp32" && precision != "compact" && precision != "reference") {
    throw Error(ErrorKind::kConfig, "unknown model.precision '" + precision + "'. " +
                                        suggestion(precision, {"fp32", "compact", "reference"}));
  }
  d.weight_type = precision == "reference" ? at::kBFloat16 : at::kFloat;
  d.cache_type = precision == "fp32" ? at::kFloat : at::kBFloat16;
}

}  // namespace

void read_description(const ConfigNode& model, ModelDescription& d) {
  d.name = model.at("name").as_string();
  read(model, "transformer.depth", d.decoder.layers);
  read(model, "transformer.width", d.decoder.width);
  read(model, "transformer.heads", d.decoder.heads);
  read(model, "transformer.kv_heads", d.decoder.kv_heads);
  read(model, "transformer.feed_forward_width", d.decoder.feed_forward_width);
  cut_layers(model, d.decoder.layers);
  read_vq(model, d.vq);
  read_grid(model, d);
  read_precision(model, d);
  read(model, "weights", d.weights);
  read(model, "vae_weights", d.vae_weights);
  read(model, "text_weights", d.text_weights);
  read(model, "tokenizer", d.tokenizer);
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
