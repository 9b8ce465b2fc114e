#include "policies/profiles/drafter_roles.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "policies/profiles/drafter_selection.h"
#include "policies/profiles/profile_option.h"
#include "policies/profiles/scalekv_tables.h"

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
/// list, because its budget starts to evict later, have the roles of its first entry.
std::vector<int64_t> released(const ScaleKvTable& table, const StepInfo& step) {
  const ScaleKvBudget* budget = table.after(step.index);
  return budget != nullptr ? budget->drafters : table.budgets.front().drafters;
}

/// Roles of a profile while the step after `step` runs; before the first and after the last scale
/// listed, theirs.
std::vector<int64_t> of_profile(const Profile& profile, const StepInfo& step) {
  const RolesOfScale* found = &profile.scales.front();
  for (const RolesOfScale& scale : profile.scales) {
    if (scale.first_step <= step.index + 1) found = &scale;
  }
  return found->drafters;
}

/// {file: PATH, drafters: N_d, per: scale | generation} at the place `where`.
Profile of_map(const ConfigNode& given, const std::string& where) {
  Options options(where, given);
  const auto path = options.word_or_null(
      {.key = "file", .help = "the profile that `kvscope attention roles` writes"});
  const auto drafters =
      options.integer_or_null({.key = "drafters",
                               .min = 0,
                               .unit = "pairs of a layer and a scale",
                               .help = "how many are drafters; null: as in the profile"});
  const std::string scope = options.word({.key = "per",
                                          .default_value = "scale",
                                          .allowed = {"scale", "generation"},
                                          .help = "whether every scale has roles of its own"});
  options.finish();
  if (!path) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: expected the file that `kvscope attention roles` writes, as in "
                            "{{file: attention-roles.yaml}}",
                            where));
  }
  Profile roles =
      profile_of_option(*given.child("file"), options.place("file"), ProfileKind::kRoles);
  if (drafters) {
    const int64_t pairs = roles.shape.layers * std::ssize(roles.scales);
    if (*drafters > pairs) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: {}; expected 0..{}, the pairs of a layer and a scale in the "
                              "profile",
                              options.place("drafters"), *drafters, pairs));
    }
    roles = with_drafters(std::move(roles), *drafters);
  }
  if (scope == "generation") roles = same_at_every_scale(std::move(roles));
  return roles;
}

}  // namespace

DrafterRoles::DrafterRoles(std::vector<int64_t> layers)
    : source_(Source::kLayers), layers_(std::move(layers)) {
  std::sort(layers_.begin(), layers_.end());
  layers_.erase(std::unique(layers_.begin(), layers_.end()), layers_.end());
}

DrafterRoles::DrafterRoles(Profile roles) : source_(Source::kFile), given_(std::move(roles)) {}

DrafterRoles DrafterRoles::from_options(Options& options) {
  DrafterRoles roles = given_roles(options);
  for (const ConfigNode* entry : map_entries(options)) {
    const std::string where = options.whole("maps");
    roles.known_.push_back(
        entry->is_map() ? of_map(*entry, where)
                        : profile_of_option(*entry, options.place("maps"), ProfileKind::kRoles));
  }
  return roles;
}

DrafterRoles DrafterRoles::given_roles(Options& options) {
  const ConfigNode* given = options.value(
      {.key = "roles",
       .accepts = "auto | released_2b | released_8b | a list of layers | a file of `kvscope "
                  "attention roles` | {file: PATH, drafters: N_d, per: scale | generation}",
       .default_value = ConfigNode("auto"),
       .help = "which layers are drafters; auto: a released model's, the map of the model or layer "
               "0, by the model's shape",
       .is_text = true});
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
    return DrafterRoles(of_map(*given, options.whole("roles")));
  }
  if (given->is_string() && given->as_string().find_first_of("./") != std::string::npos) {
    return DrafterRoles(profile_of_option(*given, options.place("roles"), ProfileKind::kRoles));
  }
  const std::string word = options.word(
      {.key = "roles", .default_value = "auto", .allowed = {"auto", "released_2b", "released_8b"}});
  return DrafterRoles(word == "released_2b"   ? Source::kReleased2b
                      : word == "released_8b" ? Source::kReleased8b
                                              : Source::kAuto);
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
      check_profile(given_, geometry);
      layers = of_profile(given_, step);
      break;
    case Source::kAuto: {
      const auto found = std::ranges::find_if(
          known_, [&](const Profile& known) { return known.shape.fits(geometry); });
      layers = found == known_.end() ? std::vector<int64_t>{0} : of_profile(*found, step);
      break;
    }
  }
  std::erase_if(layers, [&](int64_t layer) { return layer >= geometry.layers; });
  return layers;
}

Profile with_drafters(Profile roles, int64_t drafters) {
  const auto scales = std::ssize(roles.scales);
  std::vector<double> z_scores(static_cast<std::size_t>(roles.shape.layers * scales));
  for (int64_t scale = 0; scale < scales; ++scale) {
    roles.scales[scale].drafters.clear();
    for (int64_t layer = 0; layer < roles.shape.layers; ++layer) {
      z_scores[layer * scales + scale] = roles.scales[scale].z_score[layer];
    }
  }
  for (const auto& [layer, scale] : lowest_pairs(z_scores, roles.shape.layers, scales, drafters)) {
    roles.scales[scale].drafters.push_back(layer);
  }
  for (RolesOfScale& scale : roles.scales) std::ranges::sort(scale.drafters);
  return roles;
}

Profile same_at_every_scale(Profile roles) {
  const auto scales = std::ssize(roles.scales);
  int64_t pairs = 0;
  std::vector<double> mean(static_cast<std::size_t>(roles.shape.layers), 0.0);
  for (const RolesOfScale& scale : roles.scales) {
    pairs += std::ssize(scale.drafters);
    for (int64_t layer = 0; layer < roles.shape.layers; ++layer) {
      mean[layer] += scale.z_score[layer] / static_cast<double>(scales);
    }
  }
  const auto share = std::llround(static_cast<double>(pairs) / static_cast<double>(scales));
  const int64_t drafters = pairs == 0 ? 0 : std::max<int64_t>(1, share);
  std::vector<int64_t> layers;
  for (const auto& [layer, scale] : lowest_pairs(mean, roles.shape.layers, 1, drafters)) {
    layers.push_back(layer);
  }
  std::ranges::sort(layers);
  for (RolesOfScale& scale : roles.scales) scale.drafters = layers;
  return roles;
}

}  // namespace kvscope
