#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/checkpoint/weight_spec.h"
#include "core/config/options.h"
#include "core/models/image_model.h"
#include "core/models/model_memory.h"
#include "core/models/prompt_fit.h"

namespace kvscope {

/// A kind of model as configuration, plan and sweep see it. families.def lists them.
struct ModelFamily {
  /// Asks for every key that the family reads of a `model` group.
  std::function<void(Options&)> ask;
  /// The three of image_model.h, for a group whose keys are all known.
  std::function<ModelFacts(const ConfigNode& model)> facts;
  std::function<std::vector<WeightSpec>(const ConfigNode& model)> tensors;
  /// model_memory() of such a group.
  std::function<ModelMemory(const ConfigNode& model, const BatchShape& batch)> memory;
  std::function<std::unique_ptr<ImageModel>(
      const ConfigNode& model, const std::string& root, at::Device device)>
      open;
  /// fit_prompts() of image_model.h. None: the family takes every text.
  std::function<std::vector<PromptFit>(
      const ConfigNode& model, const std::string& root, std::span<const std::string> prompts)>
      fit_prompts = {};
};

struct NamedFamily {
  std::string name;
  ModelFamily family;
};

/// Those of families.def, in its order; they live as long as the program.
std::span<const NamedFamily> named_families();

/// Throws Error(kConfig) naming `origin`, where the name was read, and the nearest known one.
const ModelFamily& model_family_of(const std::string& name, const std::string& origin);

}  // namespace kvscope
