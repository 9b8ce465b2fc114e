#include "policies/allocate/drafter_roles.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "policies/allocate/drafter_selection.h"
#include "policies/allocate/scalekv_tables.h"
#include "policies/option_path.h"

namespace kvscope {
namespace {

/// Released models by their attention shape, so that fewer layers of one are still recognised.
DrafterRoles::Source recognised(const CacheGeometry& geometry) {
  if (geometry.heads == 16 && geometry.head_dim == 128 && geometry.layers <= 32) {
    return DrafterRoles::Source::kReleased2b;
  }
  if (geometry.heads == 28 && geometry.head_dim == 128 && geometry.layers <= 40) {
    return DrafterRoles::Source::kReleased8b;
  }
  return DrafterRoles::Source::kAuto;
}

/// Roles of a released table before the scale that follows `step`. Scales that the file does not
/// list, because its budget starts to cut later, have the roles of its first entry.
std::vector<int64_t> released(const ScaleKvTable& table, const StepInfo& step) {
  const ScaleKvBudget* budget = table.after(step.index);
  return budget != nullptr ? budget->drafters : table.budgets.front().drafters;
}

/// Roles of a file while the step after `step` runs; before the first and after the last scale
/// listed, theirs.
std::vector<int64_t> of_file(const RolesFile& file, const StepInfo& step) {
  const RolesOfScale* found = &file.scales.front();
  for (const RolesOfScale& scale : file.scales) {
    if (scale.first_step <= step.index + 1) found = &scale;
  }
  return found->drafters;
}

/// Reads the file that `node` names; failures name the option too.
RolesFile file_of(const ConfigNode& node, const std::string& place) {
  try {
    return read_roles(option_path(node));
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", place, error.what()));
  }
}

/// {file: PATH, drafters: N_d, per: scale | generation}
RolesFile file_of_map(const ConfigNode& given, const PartOptions& options) {
  const std::vector<std::string> known = {"file", "drafters", "per"};
  for (const ConfigEntry& entry : given.entries()) {
    if (std::ranges::find(known, entry.name) == known.end()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: unknown key '{}'. {}", options.place("roles"), entry.name,
                              suggestion(entry.name, known)));
    }
  }
  const ConfigNode* path = given.child("file");
  if (path == nullptr || !path->is_string()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: expected the file that `kvscope attention roles` writes, as in "
                            "{{file: attention-roles.yaml}}",
                            options.place("roles")));
  }
  RolesFile file = file_of(*path, options.place("roles"));
  const ConfigNode* drafters = given.child("drafters");
  if (drafters != nullptr && !drafters->is_null()) {
    const int64_t pairs = file.layers * std::ssize(file.scales);
    const int64_t count = drafters->as_int64();
    if (count < 0 || count > pairs) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}.drafters: {}; expected 0..{}, the pairs of a layer and a scale "
                              "in the file",
                              options.place("roles"), count, pairs));
    }
    file = with_drafters(std::move(file), count);
  }
  const ConfigNode* per = given.child("per");
  const std::string scope = per == nullptr || per->is_null() ? "scale" : per->as_string();
  if (scope != "scale" && scope != "generation") {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}.per: unknown value '{}'. {}", options.place("roles"), scope,
                            suggestion(scope, {"scale", "generation"})));
  }
  if (scope == "generation") file = same_at_every_scale(std::move(file));
  return file;
}

}  // namespace

DrafterRoles::DrafterRoles(std::vector<int64_t> layers)
    : source_(Source::kLayers), layers_(std::move(layers)) {
  std::sort(layers_.begin(), layers_.end());
  layers_.erase(std::unique(layers_.begin(), layers_.end()), layers_.end());
}

DrafterRoles::DrafterRoles(RolesFile file, std::string name)
    : source_(Source::kFile), file_(std::move(file)), name_(std::move(name)) {}

DrafterRoles DrafterRoles::from_options(PartOptions& options) {
  DrafterRoles roles = given_roles(options);
  for_each_known_model(options, [&](const KnownModel& model, PartOptions& entry) {
    const ConfigNode* file = entry.value("roles");
    if (file == nullptr || !file->is_map()) {
      throw Error(ErrorKind::kConfig, entry.place("roles") +
                                          ": expected {file: PATH, drafters: N_d, per: scale | "
                                          "generation}");
    }
    roles.known_.push_back({.model = model, .file = file_of_map(*file, entry)});
  });
  return roles;
}

DrafterRoles DrafterRoles::given_roles(PartOptions& options) {
  const ConfigNode* given = options.value("roles");
  if (given == nullptr) {
    return DrafterRoles(Source::kAuto);
  }
  if (given->is_list()) {
    std::vector<int64_t> layers = given->as_int64_list();
    if (std::any_of(layers.begin(), layers.end(), [](int64_t layer) { return layer < 0; })) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: layers count from 0; for example [0]", options.place("roles")));
    }
    return DrafterRoles(std::move(layers));
  }
  if (given->is_map()) {
    return {file_of_map(*given, options), given->child("file")->as_string()};
  }
  if (given->is_string() && given->as_string().find_first_of("./") != std::string::npos) {
    return {file_of(*given, options.place("roles")), given->as_string()};
  }
  const std::string word = options.word("roles", "auto", {"auto", "released_2b", "released_8b"});
  return DrafterRoles(word == "released_2b"   ? Source::kReleased2b
                      : word == "released_8b" ? Source::kReleased8b
                                              : Source::kAuto);
}

void DrafterRoles::check(const CacheGeometry& geometry) const {
  const auto steps = std::ssize(geometry.steps);
  if (file_.layers == geometry.layers && file_.heads == geometry.heads && file_.steps == steps) {
    return;
  }
  throw Error(
      ErrorKind::kConfig,
      fmt::format("policy.allocate.roles={}: made for {} ({} layers, {} heads, {} steps), but this "
                  "model has {} layers, {} heads and {} steps; calibrate it with `kvscope "
                  "attention record` and `kvscope attention roles`",
                  name_, file_.model.empty() ? "another model" : file_.model, file_.layers,
                  file_.heads, file_.steps, geometry.layers, geometry.heads, steps));
}

std::vector<int64_t> DrafterRoles::after(const CacheGeometry& geometry,
                                         const StepInfo& step) const {
  std::vector<int64_t> layers;
  switch (source_ == Source::kAuto ? recognised(geometry) : source_) {
    case Source::kReleased2b:
      layers = released(released_2b_table(), step);
      break;
    case Source::kReleased8b:
      layers = released(released_8b_table(), step);
      break;
    case Source::kLayers:
      layers = layers_;
      break;
    case Source::kFile:
      check(geometry);
      layers = of_file(file_, step);
      break;
    case Source::kAuto: {
      const auto found = std::ranges::find_if(
          known_, [&](const Known& known) { return known.model.fits(geometry); });
      layers = found == known_.end() ? std::vector<int64_t>{0} : of_file(found->file, step);
      break;
    }
  }
  std::erase_if(layers, [&](int64_t layer) { return layer >= geometry.layers; });
  return layers;
}

RolesFile with_drafters(RolesFile file, int64_t drafters) {
  const auto scales = std::ssize(file.scales);
  std::vector<double> z_scores(static_cast<std::size_t>(file.layers * scales));
  for (int64_t scale = 0; scale < scales; ++scale) {
    file.scales[scale].drafters.clear();
    for (int64_t layer = 0; layer < file.layers; ++layer) {
      z_scores[layer * scales + scale] = file.scales[scale].z_score[layer];
    }
  }
  for (const auto& [layer, scale] : lowest_pairs(z_scores, file.layers, scales, drafters)) {
    file.scales[scale].drafters.push_back(layer);
  }
  for (RolesOfScale& scale : file.scales) std::ranges::sort(scale.drafters);
  file.drafters = drafters;
  return file;
}

RolesFile same_at_every_scale(RolesFile file) {
  const auto scales = std::ssize(file.scales);
  int64_t pairs = 0;
  std::vector<double> mean(static_cast<std::size_t>(file.layers), 0.0);
  for (const RolesOfScale& scale : file.scales) {
    pairs += std::ssize(scale.drafters);
    for (int64_t layer = 0; layer < file.layers; ++layer) {
      mean[layer] += scale.z_score[layer] / static_cast<double>(scales);
    }
  }
  const auto share = std::llround(static_cast<double>(pairs) / static_cast<double>(scales));
  const int64_t drafters = pairs == 0 ? 0 : std::max<int64_t>(1, share);
  std::vector<int64_t> layers;
  for (const auto& [layer, scale] : lowest_pairs(mean, file.layers, 1, drafters)) {
    layers.push_back(layer);
  }
  std::ranges::sort(layers);
  for (RolesOfScale& scale : file.scales) scale.drafters = layers;
  file.drafters = drafters * scales;
  return file;
}

}  // namespace kvscope
