#include "core/models/janus/pipeline.h"
#include "core/models/janus/weights.h"
#include "core/models/model_keys.h"
#include "core/models/vq/vq_tensors.h"

namespace kvscope::janus {

JanusDescription read_janus(Options& options) {
  JanusDescription d;
  const std::string size = read_published_size(options, "transformer.size",
                                               "a published size: janus_pro_1b or janus_pro_7b");
  if (!size.empty()) d.config = published_janus(size);
  d.model.decoder = d.config.decoder;
  next_token::read_description(options, d.model);
  read_size(options, "transformer.text_vocabulary", d.config.text_vocabulary,
            "entries of the text embedding", kOfTransformerSize);
  read_size(options, "transformer.text_max_tokens", d.config.prompt_tokens,
            "text tokens of the prefill, chat template included; shorter prompts are padded");
  d.config.decoder = d.model.decoder;
  d.config.image_vocabulary = d.model.vq.codebook_entries;
  d.config.code_width = d.model.vq.code_width;
  d.config.image_tokens = d.model.image_tokens();
  return d;
}

JanusDescription describe_janus(const ConfigNode& model) {
  Options options("model", model);
  JanusDescription d = read_janus(options);
  d.model.vq.check();
  d.config.check();
  return d;
}

ModelFacts janus_facts(const ConfigNode& model) {
  const JanusDescription d = describe_janus(model);
  return next_token::describe(d.model, d.config.prompt_tokens,
                              parameter_count(janus_tensors(d.config)));
}

std::vector<WeightSpec> janus_checkpoint_tensors(const ConfigNode& model) {
  return description_tensors(describe_janus(model));
}

namespace {

// Every picture tensor in both spellings; none is read where they have a file of their own.
std::vector<WeightSpec> picture_tensors(const next_token::ModelDescription& model) {
  const std::string published = "gen_vision_model.";
  const std::string native = "model.vqmodel.";
  if (!model.vae_weights.empty()) return {unneeded_tensors(published, "model.", {native})};
  std::vector<WeightSpec> specs = vq_checkpoint_tensors(model.vq, "model.");
  for (WeightSpec& spec : specs) {
    spec.other_names = {native + vq_hugging_face_name(spec.name)};
    spec.name = published + spec.name;
  }
  return specs;
}

}  // namespace

std::vector<WeightSpec> description_tensors(const JanusDescription& description) {
  std::vector<WeightSpec> specs = janus_tensors(description.config);
  for (WeightSpec& spec : picture_tensors(description.model)) specs.push_back(std::move(spec));
  specs.push_back(unneeded_tensors("vision_model.", "model."));
  specs.push_back(unneeded_tensors("aligner.", "model."));
  specs.push_back(unneeded_tensors("language_model.lm_head.", "model.", {"lm_head."}));
  return specs;
}

}  // namespace kvscope::janus
