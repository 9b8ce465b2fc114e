#include "core/base/error.h"
#include "core/models/caption_encoder.h"
#include "core/models/llamagen/pipeline.h"
#include "core/models/llamagen/weights.h"
#include "core/models/model_keys.h"
#include "core/models/vq/vq_tensors.h"

namespace kvscope::llamagen {
namespace {

Conditioning conditioning_of(const ConfigNode& model) {
  const ConfigNode* node = given(model, "transformer.conditioning");
  if (node == nullptr || node->as_string() == "class") return Conditioning::kClass;
  if (node->as_string() == "text") return Conditioning::kText;
  throw Error(ErrorKind::kConfig, "unknown model.transformer.conditioning '" + node->as_string() +
                                      "'. " + suggestion(node->as_string(), {"class", "text"}));
}

/// Slots that the published code allocates for a row.
int64_t published_slots(const LlamaGenConfig& config) {
  return (config.condition_tokens() + config.image_tokens() + 7) / 8 * 8;
}

}  // namespace

LlamaGenDescription describe_llamagen(const ConfigNode& model) {
  LlamaGenDescription d;
  if (const ConfigNode* size = given(model, "transformer.size")) {
    d.config = published_llamagen(size->as_string());
  }
  d.model.decoder = d.config.decoder;
  next_token::read_description(model, d.model);
  if (d.model.decoder.feed_forward_width == 0) {
    d.model.decoder.feed_forward_width = feed_forward_width(d.model.decoder.width);
  }
  d.config.decoder = d.model.decoder;
  d.config.conditioning = conditioning_of(model);
  read(model, "transformer.classes", d.config.classes);
  read(model, "transformer.text_channels", d.config.caption_channels);
  read(model, "transformer.text_max_tokens", d.config.caption_tokens);
  read(model, "cfg_interval", d.cfg_interval);
  read(model, "text.clean", d.clean_captions);
  d.config.image_vocabulary = d.model.vq.codebook_entries;
  d.config.grid_height = d.model.grid_height;
  d.config.grid_width = d.model.grid_width;
  d.config.check();
  if (d.config.conditioning == Conditioning::kText) {
    d.text = read_text_encoder(model, d.config.caption_channels);
  }
  return d;
}

ModelFacts llamagen_facts(const ConfigNode& model) {
  const LlamaGenDescription d = describe_llamagen(model);
  ModelFacts facts =
      next_token::describe(d.model, d.config.condition_tokens(), llamagen_parameters(d.config));
  facts.published_slots = published_slots(d.config);
  return facts;
}

std::vector<WeightSpec> llamagen_checkpoint_tensors(const ConfigNode& model) {
  return description_tensors(describe_llamagen(model));
}

std::vector<WeightSpec> description_tensors(const LlamaGenDescription& description) {
  std::vector<WeightSpec> specs = llamagen_tensors(description.config);
  const auto append = [&specs](const std::vector<WeightSpec>& more) {
    specs.insert(specs.end(), more.begin(), more.end());
  };
  append(vq_checkpoint_tensors(description.model.vq, "vq."));
  if (description.config.conditioning == Conditioning::kText) {
    append(caption_encoder_tensors(description.text));
  }
  return specs;
}

}  // namespace kvscope::llamagen
