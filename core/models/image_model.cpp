#include "core/models/image_model.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/split_mix.h"
#include "core/models/infinity/pipeline.h"
#include "core/models/janus/pipeline.h"
#include "core/models/llamagen/pipeline.h"
#include "core/models/model_options.h"
#include "core/models/var/pipeline.h"

namespace kvscope {
namespace {

struct Family {
  const char* name;
  void (*ask)(Options&);
  ModelFacts (*facts)(const ConfigNode&);
  std::unique_ptr<ImageModel> (*open)(const ConfigNode&, const std::string&, at::Device);
  std::vector<WeightSpec> (*tensors)(const ConfigNode&);
};

/// Reads a family's keys for what the Options learn of them.
template <auto read>
void ask(Options& options) {
  static_cast<void>(read(options));
}

// The only list of model families.
constexpr Family kFamilies[] = {
    {"infinity", ask<infinity::read_model>, infinity::infinity_facts, infinity::open_infinity,
     infinity::infinity_tensors},
    {"janus", ask<janus::read_janus>, janus::janus_facts, janus::open_janus,
     janus::janus_checkpoint_tensors},
    {"llamagen", ask<llamagen::read_llamagen>, llamagen::llamagen_facts, llamagen::open_llamagen,
     llamagen::llamagen_checkpoint_tensors},
    {"var", ask<var::read_model>, var::var_facts, var::open_var, var::var_tensors},
};

const Family& family_of(const std::string& name, const std::string& origin) {
  for (const Family& family : kFamilies) {
    if (name == family.name) return family;
  }
  throw Error(ErrorKind::kConfig, origin + ": unknown model.family '" + name + "'. " +
                                      suggestion(name, model_families()));
}

/// The family of a group whose keys are all right.
const Family& checked_family(const ConfigNode& model) {
  const std::vector<std::string> findings = model_findings(model);
  if (!findings.empty()) {
    throw Error(ErrorKind::kConfig, fmt::format("{}", fmt::join(findings, "\n")));
  }
  const ConfigNode& family = model.at("family");
  return family_of(family.as_string(), family.origin().text());
}

/// "model.family=infinity has no such key; llamagen has": where other families have it.
std::string families_with(const std::string& key, const std::string& own) {
  std::vector<std::string> names;
  for (const Family& family : kFamilies) {
    Options options = Options::describing("model");
    family.ask(options);
    const auto is_it = [&](const OptionInfo& option) { return option.key == key; };
    if (std::ranges::any_of(options.asked(), is_it)) names.emplace_back(family.name);
  }
  if (names.empty()) return "";
  return fmt::format("Models of the family {} have none; those of {} do.", own,
                     fmt::join(names, " and "));
}

}  // namespace

std::vector<std::string> model_families() {
  std::vector<std::string> names;
  for (const Family& family : kFamilies) names.emplace_back(family.name);
  return names;
}

void ask_model_keys(const std::string& family, Options& options) {
  static_cast<void>(options.word({.key = "family",
                                  .allowed = model_families(),
                                  .help = "kind of model, which its other keys belong to"}));
  family_of(family, options.place("family")).ask(options);
}

std::vector<std::string> model_findings(const ConfigNode& model) {
  const std::string& family = model.at("family").as_string();
  Options options = Options::checking("model", model);
  ask_model_keys(family, options);
  return options.findings([&](const std::string& key) { return families_with(key, family); });
}

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

at::Generator image_generator(uint64_t seed, uint64_t prompt_id, uint64_t replica) {
  const uint64_t state = split_mix(split_mix(split_mix(seed) + prompt_id) + replica);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>();
  generator.set_current_seed(state);
  return generator;
}

}  // namespace kvscope
