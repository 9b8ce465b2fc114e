#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/checkpoint/weight_spec.h"
#include "core/config/options.h"
#include "core/models/image_model.h"

namespace kvscope {

/// A kind of model as configuration, plan and sweep see it. families.def lists them.
struct ModelFamily {
  /// Asks for every key that the family reads of a `model` group.
  std::function<void(Options&)> ask;
  /// The three of image_model.h, for a group whose keys are all known.
  std::function<ModelFacts(const ConfigNode& model)> facts;
  std::function<std::vector<WeightSpec>(const ConfigNode& model)> tensors;
  std::function<std::unique_ptr<ImageModel>(
      const ConfigNode& model, const std::string& root, at::Device device)>
      open;
};

}  // namespace kvscope
