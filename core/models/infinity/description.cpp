#include <fmt/format.h>

#include "core/base/error.h"
#include "core/models/infinity/pipeline.h"
#include "core/models/infinity/weights.h"

namespace kvscope::infinity {
namespace {

// The value at `key` of `node`, or nothing where it is absent or null.
const ConfigNode* given(const ConfigNode& node, std::string_view key) {
  const ConfigNode* found = node.find(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

void read(const ConfigNode& node, std::string_view key, int64_t& into) {
  if (const ConfigNode* found = given(node, key)) into = found->as_int64();
}

void read(const ConfigNode& node, std::string_view key, bool& into) {
  if (const ConfigNode* found = given(node, key)) into = found->as_bool();
}

void read(const ConfigNode& node, std::string_view key, std::string& into) {
  if (const ConfigNode* found = given(node, key)) into = found->as_string();
}

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
  if (const ConfigNode* layers = given(model, "layers")) {
    const int64_t wanted = layers->as_int64();
    if (wanted < 1 || wanted > config.depth) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("model.layers={} is not in 1..{}, the layers of {}", wanted,
                              config.depth, model.at("name").as_string()));
    }
    config.depth = wanted;
    config.chunks = 1;  // only random weights can be cut; published names need the published chunks
  }
  config.check();
  return config;
}

PictureGeometry picture_of(const ConfigNode& model) {
  const ConfigNode* schedule = given(model, "picture.schedule");
  if (schedule == nullptr) {
    return published_geometry(model.at("picture.ratio").as_double(),
                              model.at("picture.pixels").as_string());
  }
  PictureGeometry picture;
  for (const ConfigNode& scale : schedule->items()) {
    const std::vector<int64_t> sides = scale.as_int64_list();
    if (sides.size() != 2 || sides[0] < 1 || sides[1] < 1 || sides[0] > 4096 || sides[1] > 4096) {
      throw Error(
          ErrorKind::kConfig,
          scale.origin().text() +
              ": every scale of model.picture.schedule is [height, width], each 1..4096 tokens");
    }
    picture.schedule.emplace_back(sides[0], sides[1]);
  }
  if (picture.schedule.empty()) {
    throw Error(ErrorKind::kConfig,
                "model.picture.schedule is empty; expected [[1, 1], [2, 2], ...]");
  }
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
  if (const ConfigNode* size = given(model, "text.size")) d.text = published_t5(size->as_string());
  read(model, "text.d_model", d.text.d_model);
  read(model, "text.layers", d.text.layers);
  read(model, "text.heads", d.text.heads);
  read(model, "text.d_kv", d.text.d_kv);
  read(model, "text.d_ff", d.text.d_ff);
  read(model, "text.vocabulary", d.text.vocabulary);
  read(model, "weights", d.weights);
  read(model, "vae_weights", d.vae_weights);
  read(model, "text_weights", d.text_weights);
  read(model, "tokenizer", d.tokenizer);
  d.precision = model.at("precision").as_string();
  if (d.text.d_model != d.transformer.text_channels) {
    throw Error(ErrorKind::kConfig,
                fmt::format("model.text.d_model={} must equal model.transformer.text_channels={}",
                            d.text.d_model, d.transformer.text_channels));
  }
  return d;
}

CacheGeometry description_geometry(const ModelDescription& d) {
  if (d.precision == "fp32")
    return cache_geometry(d.transformer, d.picture, at::kFloat, at::kFloat);
  if (d.precision == "compact") {
    return cache_geometry(d.transformer, d.picture, at::kBFloat16, at::kBFloat16);
  }
  if (d.precision == "reference") {
    return cache_geometry(d.transformer, d.picture, at::kFloat, at::kBFloat16);
  }
  throw Error(ErrorKind::kConfig, "unknown model.precision '" + d.precision + "'. " +
                                      suggestion(d.precision, {"fp32", "compact", "reference"}));
}

ModelFacts infinity_facts(const ConfigNode& model) {
  const ModelDescription d = describe_model(model);
  const auto last = static_cast<int64_t>(d.picture.schedule.size()) - 1;
  const auto [height, width] = d.picture.latent(last, d.transformer.patchify);
  return {.name = d.name,
          .family = "next_scale",
          .cache = description_geometry(d),
          .parameters = parameter_count(transformer_tensors(d.transformer)),
          .picture_height = height * d.vae.stride(),
          .picture_width = width * d.vae.stride()};
}

}  // namespace kvscope::infinity
