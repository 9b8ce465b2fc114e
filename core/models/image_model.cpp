#include "core/models/image_model.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/split_mix.h"
#include "core/models/model_family.h"
#include "core/models/model_options.h"

namespace kvscope {

#define KVSCOPE_MODEL_FAMILY(name) ModelFamily family_##name();
#include "core/models/families.def"
#undef KVSCOPE_MODEL_FAMILY

namespace {

struct NamedFamily {
  std::string name;
  ModelFamily family;
};

const std::vector<NamedFamily>& families() {
  static const std::vector<NamedFamily> all = {
#define KVSCOPE_MODEL_FAMILY(name) {#name, family_##name()},
#include "core/models/families.def"
#undef KVSCOPE_MODEL_FAMILY
  };
  return all;
}

const ModelFamily& family_of(const std::string& name, const std::string& origin) {
  for (const NamedFamily& known : families()) {
    if (name == known.name) return known.family;
  }
  throw Error(ErrorKind::kConfig, origin + ": unknown model.family '" + name + "'. " +
                                      suggestion(name, model_families()));
}

/// The family of a group whose keys are all right.
const ModelFamily& checked_family(const ConfigNode& model) {
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
  for (const NamedFamily& known : families()) {
    Options options = Options::describing("model");
    known.family.ask(options);
    const auto is_it = [&](const OptionInfo& option) { return option.key == key; };
    if (std::ranges::any_of(options.asked(), is_it)) names.push_back(known.name);
  }
  if (names.empty()) return "";
  return fmt::format("Models of the family {} have none; those of {} do.", own,
                     fmt::join(names, " and "));
}

}  // namespace

std::vector<std::string> model_families() {
  std::vector<std::string> names;
  for (const NamedFamily& known : families()) names.push_back(known.name);
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
