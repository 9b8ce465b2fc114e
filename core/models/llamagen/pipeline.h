#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/checkpoint/weight_spec.h"
#include "core/models/image_model.h"
#include "core/models/llamagen/config.h"
#include "core/models/next_token/description.h"
#include "core/text/t5_encoder.h"

namespace kvscope::llamagen {

/// Everything the `model` group of a LlamaGen model says; see configs/model/llamagen_b.yaml and
/// llamagen_xl_t2i.yaml.
struct LlamaGenDescription {
  next_token::ModelDescription model;
  LlamaGenConfig config;
  T5Config text;
  bool clean_captions = true;  ///< as the published demo does before tokenizing
  int64_t cfg_interval = -1;   ///< see next_token::guidance_of_token()
};

/// Asks for every key of the family; whether sizes fit each other is not checked.
LlamaGenDescription read_llamagen(Options& options);
/// Throws Error(kConfig) naming the key, what was expected and the nearest right thing.
LlamaGenDescription describe_llamagen(const ConfigNode& model);

ModelFacts llamagen_facts(const ConfigNode& model);
/// Every tensor that is read of the transformer, the picture decoder and the text encoder, with the
/// ones that published files carry beside them.
std::vector<WeightSpec> description_tensors(const LlamaGenDescription& description);
std::vector<WeightSpec> llamagen_checkpoint_tensors(const ConfigNode& model);
std::unique_ptr<ImageModel> open_llamagen(const ConfigNode& model,
                                          const std::string& root,
                                          at::Device device);

}  // namespace kvscope::llamagen
