#include "core/models/image_model.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "core/base/error.h"
#include "core/base/split_mix.h"
#include "core/models/infinity/pipeline.h"
#include "core/models/janus/pipeline.h"
#include "core/models/llamagen/pipeline.h"
#include "core/models/var/pipeline.h"

namespace kvscope {
namespace {

struct Family {
  const char* name;
  ModelFacts (*facts)(const ConfigNode&);
  std::unique_ptr<ImageModel> (*open)(const ConfigNode&, const std::string&, at::Device);
  std::vector<WeightSpec> (*tensors)(const ConfigNode&);
};

// The only list of model families.
constexpr Family kFamilies[] = {
    {"infinity", infinity::infinity_facts, infinity::open_infinity, infinity::infinity_tensors},
    {"janus", janus::janus_facts, janus::open_janus, janus::janus_checkpoint_tensors},
    {"llamagen", llamagen::llamagen_facts, llamagen::open_llamagen,
     llamagen::llamagen_checkpoint_tensors},
    {"var", var::var_facts, var::open_var, var::var_tensors},
};

const Family& family_of(const ConfigNode& model) {
  const std::string& name = model.at("family").as_string();
  std::vector<std::string> known;
  for (const Family& family : kFamilies) {
    if (name == family.name) return family;
    known.emplace_back(family.name);
  }
  throw Error(ErrorKind::kConfig, model.at("family").origin().text() + ": unknown model.family '" +
                                      name + "'. " + suggestion(name, known));
}

}  // namespace

ModelFacts model_facts(const ConfigNode& model) {
  return family_of(model).facts(model);
}

std::unique_ptr<ImageModel> open_model(const ConfigNode& model,
                                       const std::string& root,
                                       at::Device device) {
  return family_of(model).open(model, root, device);
}

std::vector<WeightSpec> model_tensors(const ConfigNode& model) {
  return family_of(model).tensors(model);
}

at::Generator image_generator(uint64_t seed, uint64_t prompt_id, uint64_t replica) {
  const uint64_t state = split_mix(split_mix(split_mix(seed) + prompt_id) + replica);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>();
  generator.set_current_seed(state);
  return generator;
}

}  // namespace kvscope
