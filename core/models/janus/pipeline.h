#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/checkpoint/weight_spec.h"
#include "core/models/image_model.h"
#include "core/models/janus/config.h"
#include "core/models/next_token/description.h"

namespace kvscope::janus {

/// Everything the `model` group of a Janus model says; see configs/model/janus_pro_1b.yaml.
struct JanusDescription {
  next_token::ModelDescription model;
  JanusConfig config;
};

/// Asks for every key of the family; whether sizes fit each other is not checked.
JanusDescription read_janus(Options& options);
/// Throws Error(kConfig) naming the key, what was expected and the nearest right thing.
JanusDescription describe_janus(const ConfigNode& model);

ModelFacts janus_facts(const ConfigNode& model);
/// Every tensor that text to image reads of the main file, with the ones of understanding that
/// published files carry beside them; in the published and in the Hugging Face-native spelling.
std::vector<WeightSpec> description_tensors(const JanusDescription& description);
std::vector<WeightSpec> janus_checkpoint_tensors(const ConfigNode& model);
std::unique_ptr<ImageModel> open_janus(const ConfigNode& model,
                                       const std::string& root,
                                       at::Device device);

}  // namespace kvscope::janus
