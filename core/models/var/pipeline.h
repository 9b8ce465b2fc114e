#pragma once

#include <string>
#include <vector>

#include "core/checkpoint/weight_spec.h"
#include "core/config/options.h"
#include "core/models/image_model.h"
#include "core/models/model_memory.h"
#include "core/models/var/config.h"

namespace kvscope::var {

/// Everything the `model` group of a VAR model says; see configs/model/var_d16.yaml for the keys.
struct ModelDescription {
  std::string name;
  TransformerConfig transformer;
  VqvaeConfig vae;
  ScaleSchedule schedule;
  std::string weights;      ///< "random", or a file or folder with "model.*" or bare names
  std::string vae_weights;  ///< empty: below "vae." in `weights`
  std::string precision;    ///< of read_precision()
};

/// Asks for every key of the family; whether sizes fit each other is not checked.
ModelDescription read_model(Options& options);
/// Throws Error(kConfig) naming the key, what was expected and the nearest right thing.
ModelDescription describe_model(const ConfigNode& model);

ModelFacts var_facts(const ConfigNode& model);
ModelMemory var_memory(const ConfigNode& model, const BatchShape& batch);
/// Every published tensor of the transformer and the image decoder, with the encoder that
/// published files carry beside them.
std::vector<WeightSpec> description_tensors(const ModelDescription& description);
std::vector<WeightSpec> var_tensors(const ConfigNode& model);

}  // namespace kvscope::var
