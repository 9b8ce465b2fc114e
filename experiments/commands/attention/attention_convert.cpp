#include "experiments/commands/attention/attention_convert.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/config/compose.h"
#include "core/models/image_model.h"
#include "policies/profiles/earlier_profile.h"
#include "policies/profiles/profile_file.h"

namespace kvscope {
namespace {

ModelFacts facts_of(ConfigArguments arguments, const std::string& model) {
  arguments.overrides = {"model=" + model};
  return model_facts(compose(compose_request(arguments)).config.at("model"));
}

}  // namespace

int attention_convert_command(const ConfigArguments& arguments,
                              const AttentionConvertOptions& options) {
  auto earlier = read_earlier_profile(options.file);
  if (!earlier) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: neither a table of numbers nor 'schema: kvscope.roles/1', which "
                            "earlier versions wrote; profiles of today need no conversion",
                            options.file.string()));
  }
  Profile& profile = earlier->profile;
  const ModelFacts facts = facts_of(arguments, options.model);
  const ProfileShape found = profile.shape;
  const ProfileShape model = ProfileShape::of(facts.cache);
  const bool layers = profile.kind == ProfileKind::kLayers;
  if (found.layers != model.layers || (!layers && found.heads != model.heads)) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: {} layers{}; {} has {} layers x {} heads", options.file.string(),
                            found.layers, layers ? "" : fmt::format(" x {} heads", found.heads),
                            options.model, model.layers, model.heads));
  }
  profile.shape = model;
  if (found.steps > 0) profile.shape.steps = found.steps;
  profile.model = facts.name;
  write_profile(options.out, profile);
  // What was written is what will be read.
  static_cast<void>(read_profile(options.out, profile.kind));
  fmt::print("{}: kind {}, {} of {}\n", options.out.string(), profile_kind_name(profile.kind),
             profile.metric.name, profile.model);
  return 0;
}

}  // namespace kvscope
