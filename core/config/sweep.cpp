#include "core/config/sweep.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/config/hydra_node.h"
#include "core/config/interpolation.h"
#include "core/config/override.h"
#include "core/config/repository.h"
#include "core/config/sweep_axes.h"
#include "core/config/sweep_blocks.h"

namespace kvscope {
namespace {

using Grid = std::vector<std::vector<std::string>>;

/// Adds the axis of an override; Hydra's own settings are no axes.
void add_override(std::vector<SweepAxis>& axes,
                  const std::string& input,
                  bool is_typed,
                  const GlobScope& scope) {
  const Override override = parse_override(input);
  if (is_hydra_override(override)) {
    if (!override.is_sweep()) return;
    throw Error(ErrorKind::kConfig,
                fmt::format("override '{}': hydra's own settings cannot be swept", override.input));
  }
  SweepAxis axis = axis_of(override, scope);
  axis.is_typed = is_typed;
  add_axis(axes, std::move(axis));
}

void add_parameters(std::vector<SweepAxis>& axes,
                    const std::vector<SweeperParameter>& parameters,
                    const GlobScope& scope) {
  for (const SweeperParameter& parameter : parameters) {
    try {
      add_override(axes, parameter.input, false, scope);
    } catch (const Error& error) {
      const std::string where = parameter.origin.text();
      throw Error(error.kind(), where.empty() ? error.what() : where + ": " + error.what());
    }
  }
}

/// What a zip(..) is called must be no group or key: it would look as if that were swept.
void check_names(const std::vector<SweepAxis>& axes,
                 const ConfigNode& root,
                 const ConfigRepository& repository) {
  for (const SweepAxis& axis : axes) {
    if (axis.keys.size() < 2) continue;
    const bool is_group = repository.group_exists(axis.name);
    if (!is_group && root.find(axis.name) == nullptr) continue;
    throw Error(ErrorKind::kConfig,
                fmt::format("'{0}=zip(..)': '{0}' is a {1}; what stands in front of zip(..) is a "
                            "name of your own, as in pair=zip(..)",
                            axis.name, is_group ? "config group" : "key"));
  }
}

/// Points that say the same in another order are one.
Grid without_repeats(Grid points, std::vector<std::string>& repeats) {
  std::set<std::vector<std::string>> seen;
  Grid kept;
  for (std::vector<std::string>& point : points) {
    std::vector<std::string> sorted = point;
    std::ranges::sort(sorted);
    if (seen.insert(std::move(sorted)).second) {
      kept.push_back(std::move(point));
    } else {
      repeats.push_back(fmt::format("{}", fmt::join(point, " ")));
    }
  }
  return kept;
}

std::optional<int64_t> max_batch_size(const ConfigNode& hydra) {
  const ConfigNode* node = hydra.find("sweeper.max_batch_size");
  if (!node || node->is_null()) return std::nullopt;
  const int64_t size = node->as_int64();
  if (size >= 1) return size;
  throw Error(ErrorKind::kConfig,
              fmt::format("{}: hydra.sweeper.max_batch_size must be at least 1, got {}",
                          node->origin().text(), size));
}

}  // namespace

ExpandedSweep expand_jobs(const ComposeRequest& request) {
  // What all points share decides the grid's own settings; the swept keys are left out.
  ComposeRequest shared = request;
  shared.overrides.clear();
  ExpandedSweep sweep;
  for (const std::string& input : request.overrides) {
    const Override override = parse_override(input);
    if (!override.is_sweep()) shared.overrides.push_back(input);
    if (is_hydra_override(override)) sweep.hydra_overrides.push_back(input);
  }
  ConfigRepository repository(request.folders);
  const ConfigNode root = compose_unresolved(shared, repository);
  const ResolverContext context{&root, request.environment, request.now, request.resolvers};
  const ConfigNode hydra = resolve_where_possible(*root.child("hydra"), "hydra", context);
  const GlobScope scope{repository, request.words_of_key};
  std::vector<SweepAxis> of_params;
  add_parameters(of_params, sweeper_params(hydra), scope);
  std::vector<std::vector<SweeperParameter>> blocks = sweeper_blocks(hydra);
  const bool has_blocks = !blocks.empty();
  if (!has_blocks) blocks.emplace_back();
  for (const std::vector<SweeperParameter>& block : blocks) {
    std::vector<SweepAxis> axes = of_params;
    std::vector<SweepAxis> of_block;
    add_parameters(of_block, block, scope);
    for (SweepAxis& axis : of_block) {
      // A block says more than params do; among themselves both are what a config says.
      for (SweepAxis& general : axes) general.is_typed = false;
      axis.is_typed = true;
      add_axis(axes, std::move(axis));
    }
    for (SweepAxis& axis : axes) axis.is_typed = false;
    for (const std::string& input : request.overrides) add_override(axes, input, true, scope);
    check_names(axes, root, repository);
    Grid grid = product_of(axes);
    std::ranges::move(grid, std::back_inserter(sweep.jobs));
  }
  if (has_blocks) sweep.jobs = without_repeats(std::move(sweep.jobs), sweep.repeats);
  sweep.max_batch_size = max_batch_size(hydra);
  return sweep;
}

std::vector<std::vector<std::string>> expand_sweep(const ComposeRequest& request,
                                                   std::vector<std::string>* repeats) {
  ExpandedSweep sweep = expand_jobs(request);
  for (std::vector<std::string>& point : sweep.jobs) {
    point.insert(point.end(), sweep.hydra_overrides.begin(), sweep.hydra_overrides.end());
  }
  if (repeats != nullptr) *repeats = std::move(sweep.repeats);
  return std::move(sweep.jobs);
}

}  // namespace kvscope
