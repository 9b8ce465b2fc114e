#include "policies/allocate/drafter_roles.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "policies/allocate/scalekv_tables.h"

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

}  // namespace

DrafterRoles::DrafterRoles(std::vector<int64_t> layers)
    : source_(Source::kLayers), layers_(std::move(layers)) {
  std::sort(layers_.begin(), layers_.end());
  layers_.erase(std::unique(layers_.begin(), layers_.end()), layers_.end());
}

DrafterRoles DrafterRoles::from_options(PartOptions& options) {
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
  const std::string word = options.word("roles", "auto", {"auto", "released_2b", "released_8b"});
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
    case Source::kAuto:
      layers = {0};
      break;
  }
  std::erase_if(layers, [&](int64_t layer) { return layer >= geometry.layers; });
  return layers;
}

}  // namespace kvscope
