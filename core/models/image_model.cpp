#include "core/models/image_model.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/models/image_seed.h"
#include "core/models/model_family.h"
#include "core/models/model_memory.h"
#include "core/models/model_options.h"
#include "core/models/prompt_fit.h"

namespace kvscope {
namespace {

/// The family of a group whose keys are all right.
const ModelFamily& checked_family(const ConfigNode& model) {
  const std::vector<std::string> findings = model_findings(model);
  if (!findings.empty()) {
    throw Error(ErrorKind::kConfig, fmt::format("{}", fmt::join(findings, "\n")));
  }
  const ConfigNode& family = model.at("family");
  return model_family_of(family.as_string(), family.origin().text());
}

}  // namespace

ModelFacts model_facts(const ConfigNode& model) {
  return checked_family(model).facts(model);
}

std::unique_ptr<ImageModel> open_model(const ConfigNode& model,
                                       const std::string& root,
                                       at::Device device) {
  return checked_family(model).open(model, root, device);
}

std::vector<WeightSpec> model_tensors(const ConfigNode& model) {
  return checked_family(model).tensors(model);
}

ModelMemory model_memory(const ConfigNode& model, const BatchShape& batch) {
  return checked_family(model).memory(model, batch);
}

std::vector<PromptFit> fit_prompts(const ConfigNode& model,
                                   const std::string& root,
                                   std::span<const std::string> prompts) {
  const ModelFamily& family = checked_family(model);
  if (!family.fit_prompts) return std::vector<PromptFit>(prompts.size());
  return family.fit_prompts(model, root, prompts);
}

at::Generator image_generator(uint64_t seed, uint64_t prompt_id, uint64_t replica) {
  return generator_of_seed(image_seed(SeedRule::kHashed, seed, prompt_id, replica));
}

}  // namespace kvscope
