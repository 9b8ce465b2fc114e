#include "core/base/error.h"
#include "core/models/caption_encoder.h"
#include "core/models/llamagen/pipeline.h"
#include "core/models/llamagen/weights.h"
#include "core/models/model_keys.h"
#include "core/models/vq/vq_tensors.h"

namespace kvscope::llamagen {
namespace {

/// Slots that the published code allocates for a row.
int64_t published_slots(const LlamaGenConfig& config) {
  return (config.condition_tokens() + config.image_tokens() + 7) / 8 * 8;
}

}  // namespace

LlamaGenDescription read_llamagen(Options& options) {
  LlamaGenDescription d;
  const std::string size = read_published_size(options, "transformer.size",
                                               "a published size: llamagen_b, llamagen_l, ...");
  if (!size.empty()) d.config = published_llamagen(size);
  d.model.decoder = d.config.decoder;
  next_token::read_description(options, d.model);
  if (d.model.decoder.feed_forward_width == 0) {
    d.model.decoder.feed_forward_width = feed_forward_width(d.model.decoder.width);
  }
  d.model.text_weights =
      read_file(options, "text_weights", "text encoder's file; null: in `weights`");
  d.config.decoder = d.model.decoder;
  const std::string conditioning = options.word({.key = "transformer.conditioning",
                                                 .default_value = "class",
                                                 .allowed = {"class", "text"},
                                                 .help = "what an image is made of"});
  d.config.conditioning = conditioning == "text" ? Conditioning::kText : Conditioning::kClass;
  read_size(options, "transformer.classes", d.config.classes, "labels, without the null class");
  read_size(options, "transformer.text_channels", d.config.caption_channels,
            "channels of the text features");
  read_size(options, "transformer.text_max_tokens", d.config.caption_tokens,
            "longest prompt in text tokens");
  d.cfg_interval =
      options.integer({.key = "cfg_interval",
                       .default_value = d.cfg_interval,
                       .least = -1,
                       .help = "guidance stops behind this token, counted from 0 at the second; "
                               "-1: never"});
  read_flag(options, "text.clean", d.clean_captions,
            "clean captions as LlamaGen does before they are tokenized");
  d.text = read_text_encoder(options);
  d.config.image_vocabulary = d.model.vq.codebook_entries;
  d.config.grid_height = d.model.grid_height;
  d.config.grid_width = d.model.grid_width;
  return d;
}

LlamaGenDescription describe_llamagen(const ConfigNode& model) {
  Options options("model", model);
  LlamaGenDescription d = read_llamagen(options);
  d.model.vq.check();
  d.config.check();
  if (d.config.conditioning == Conditioning::kText) {
    check_text_encoder(d.text, d.config.caption_channels);
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
