#include "core/models/janus/pipeline.h"
#include "core/models/janus/weights.h"
#include "core/models/model_keys.h"
#include "core/models/vq/vq_tensors.h"

namespace kvscope::janus {

JanusDescription describe_janus(const ConfigNode& model) {
  JanusDescription d;
  if (const ConfigNode* size = given(model, "transformer.size")) {
    d.config = published_janus(size->as_string());
  }
  d.model.decoder = d.config.decoder;
  next_token::read_description(model, d.model);
  read(model, "transformer.text_vocabulary", d.config.text_vocabulary);
  read(model, "transformer.text_max_tokens", d.config.prompt_tokens);
  d.config.decoder = d.model.decoder;
  d.config.image_vocabulary = d.model.vq.codebook_entries;
  d.config.code_width = d.model.vq.code_width;
  d.config.image_tokens = d.model.image_tokens();
  d.config.check();
  return d;
}

ModelFacts janus_facts(const ConfigNode& model) {
  const JanusDescription d = describe_janus(model);
  return next_token::describe(d.model, d.config.prompt_tokens,
                              parameter_count(janus_tensors(d.config)));
}

std::vector<WeightSpec> janus_checkpoint_tensors(const ConfigNode& model) {
  const JanusDescription d = describe_janus(model);
  std::vector<WeightSpec> specs = janus_tensors(d.config);
  for (WeightSpec spec : vq_decoder_tensors(d.model.vq)) {
    const std::string published = spec.name;
    spec.name = "gen_vision_model." + published;
    spec.part = "model.";
    spec.other_names = {"model.vqmodel." + vq_hugging_face_name(published)};
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace kvscope::janus
