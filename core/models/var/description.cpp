#include <fmt/format.h>

#include "core/base/error.h"
#include "core/models/var/generate.h"
#include "core/models/var/pipeline.h"
#include "core/models/var/vqvae.h"
#include "core/models/var/weights.h"

namespace kvscope::var {
namespace {

constexpr int64_t kLongestSide = 4096;  // tokens of a scale's side
constexpr size_t kMostScales = 256;

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

void read_transformer(const ConfigNode& model, TransformerConfig& config) {
  read(model, "transformer.depth", config.depth);
  read(model, "transformer.width", config.width);
  read(model, "transformer.heads", config.heads);
  read(model, "transformer.classes", config.classes);
  read(model, "transformer.shared_ada_lin", config.shared_ada_lin);
  read(model, "vae.codes", config.codes);
  read(model, "vae.code_width", config.code_width);
  if (const ConfigNode* layers = given(model, "layers")) {
    const int64_t wanted = layers->as_int64();
    if (wanted < 1 || wanted > config.depth) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("model.layers={} is not in 1..{}, the layers of {}", wanted,
                              config.depth, model.at("name").as_string()));
    }
    config.depth = wanted;
  }
  config.check();
}

void read_schedule(const ConfigNode& model, ScaleSchedule& schedule) {
  if (const ConfigNode* scales = given(model, "picture.schedule")) {
    schedule.clear();
    for (const ConfigNode& scale : scales->items()) {
      const std::vector<int64_t> sides = scale.as_int64_list();
      if (sides.size() != 2 || sides[0] < 1 || sides[1] < 1 || sides[0] > kLongestSide ||
          sides[1] > kLongestSide) {
        throw Error(ErrorKind::kConfig,
                    fmt::format("{}: every scale of model.picture.schedule is [height, width], "
                                "each 1..{} tokens",
                                scale.origin().text(), kLongestSide));
      }
      schedule.emplace_back(sides[0], sides[1]);
    }
  }
  if (schedule.empty() || schedule.size() > kMostScales) {
    throw Error(ErrorKind::kConfig,
                fmt::format("model.picture.schedule has {} scales; expected 1..{}, such as [[1, "
                            "1], [2, 2], ...]",
                            schedule.size(), kMostScales));
  }
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
  if (d.precision == "fp32") {
    return cache_geometry(d.transformer, d.schedule, at::kFloat, at::kFloat);
  }
  if (d.precision == "compact") {
    return cache_geometry(d.transformer, d.schedule, at::kBFloat16, at::kBFloat16);
  }
  if (d.precision == "reference") {
    // The reference under autocast; its V is fp16, of the same size.
    return cache_geometry(d.transformer, d.schedule, at::kFloat, at::kBFloat16);
  }
  throw Error(ErrorKind::kConfig, "unknown model.precision '" + d.precision + "'. " +
                                      suggestion(d.precision, {"fp32", "compact", "reference"}));
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
          .family = "next_scale",
          .cache = geometry_of(d),
          .parameters = parameter_count(transformer_tensors(d.transformer, d.schedule)),
          .picture_height = height * d.vae.stride(),
          .picture_width = width * d.vae.stride(),
          .unguided = kUnguided};
}

std::vector<WeightSpec> var_tensors(const ConfigNode& model) {
  const ModelDescription d = describe_model(model);
  std::vector<WeightSpec> specs = transformer_tensors(d.transformer, d.schedule);
  for (auto& part : {quantizer_tensors(d.vae), decoder_tensors(d.vae)}) {
    specs.insert(specs.end(), part.begin(), part.end());
  }
  // A statistic of training that the published file carries along.
  specs.push_back({.name = "quantize.ema_vocab_hit_SV",
                   .shape = {-1, d.vae.codes},
                   .buffer = true,
                   .part = "vae."});
  return specs;
}

}  // namespace kvscope::var
