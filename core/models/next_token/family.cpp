#include "core/models/next_token/family.h"

#include "core/models/next_token/family_tensors.h"
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
      .open =
          [&family](const ConfigNode& model, const std::string& root, at::Device device) {
            return open(family, describe(family, model), root, device);
          }};
}

}  // namespace kvscope::next_token
