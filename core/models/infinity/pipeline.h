#pragma once

#include <string>
#include <vector>

#include "core/checkpoint/weight_spec.h"
#include "core/config/options.h"
#include "core/models/image_model.h"
#include "core/models/infinity/config.h"
#include "core/models/model_memory.h"
#include "core/models/prompt_fit.h"
#include "core/text/captions/t5_encoder.h"

namespace kvscope::infinity {

/// Everything the `model` group of an Infinity model says; see configs/model/*.yaml for the keys.
struct ModelDescription {
  std::string name;
  TransformerConfig transformer;
  VaeConfig vae;
  ImageGeometry image;
  T5Config text;
  std::string weights;       ///< "random", or a file or folder with "model.*" or bare names
  std::string vae_weights;   ///< empty: below "vae." in `weights`
  std::string text_weights;  ///< empty: below "t5." in `weights`
  std::string tokenizer;     ///< SentencePiece model; empty with random weights
  std::string precision;     ///< of read_precision()
  TextOverflow overflow = TextOverflow::kRefuse;
};

/// Asks for every key of the family; whether sizes fit each other is not checked.
ModelDescription read_model(Options& options);
/// Throws Error(kConfig) naming the key, what was expected and the nearest right thing.
ModelDescription describe_model(const ConfigNode& model);

CacheGeometry description_geometry(const ModelDescription& description);

ModelFacts infinity_facts(const ConfigNode& model);
ModelMemory infinity_memory(const ConfigNode& model, const BatchShape& batch);
/// Every published tensor of the transformer, the image autoencoder (its encoder may be missing)
/// and the text encoder.
std::vector<WeightSpec> description_tensors(const ModelDescription& description);
std::vector<WeightSpec> infinity_tensors(const ConfigNode& model);

}  // namespace kvscope::infinity
