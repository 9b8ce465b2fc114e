#include "core/models/next_token/family.h"

#include "core/models/model_files.h"
#include "core/models/next_token/family_tensors.h"
#include "core/models/next_token/memory.h"
#include "core/models/next_token/opened_model.h"

namespace kvscope::next_token {
namespace {

ModelFacts facts_of(const NextTokenFamily& family, const ModelDescription& model) {
  ModelFacts facts;
  facts.name = model.name;
  facts.kind = "next_token";
  facts.cache = model.cache();
  facts.parameters = parameter_count(transformer_tensors(family, model));
  facts.image_height = model.grid_height * model.vq.stride();
  facts.image_width = model.grid_width * model.vq.stride();
  if (family.correct_facts != nullptr) family.correct_facts(model, facts);
  return facts;
}

std::vector<PromptFit> fit_of(const NextTokenFamily& family,
                              const ModelDescription& model,
                              const std::string& root,
                              std::span<const std::string> prompts) {
  const ConditionConfig& condition = model.condition;
  if (condition.kind == ConditionKind::kClass) return fit_classes(prompts, condition.classes);
  const bool made_up =
      condition.kind == ConditionKind::kFeatures && model.weights == "random";  // features
  if (family.fit_texts == nullptr || made_up || model.tokenizer.empty()) {
    return std::vector<PromptFit>(prompts.size());
  }
  return family.fit_texts(model, model_file(root, model.tokenizer), prompts);
}

}  // namespace

ModelFamily model_family(const NextTokenFamily& family) {
  return {
      .ask = [&family](Options& options) { static_cast<void>(read_description(family, options)); },
      .facts =
          [&family](const ConfigNode& model) { return facts_of(family, describe(family, model)); },
      .tensors =
          [&family](const ConfigNode& model) {
            return checkpoint_tensors(family, describe(family, model));
          },
      .memory =
          [&family](const ConfigNode& model, const BatchShape& batch) {
            return memory_of(family, describe(family, model), batch);
          },
      .open =
          [&family](const ConfigNode& model, const std::string& root, at::Device device) {
            return open(family, describe(family, model), root, device);
          },
      .fit_prompts =
          [&family](const ConfigNode& model, const std::string& root,
                    std::span<const std::string> prompts) {
            return fit_of(family, describe(family, model), root, prompts);
          }};
}

}  // namespace kvscope::next_token
