#include "analysis/attention/selectivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/base/error.h"
#include "policies/profiles/drafter_selection.h"

namespace kvscope {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

int64_t step_count(const AttentionRecord& record) {
  return static_cast<int64_t>(record.steps.size());
}

/// [L][G] means of [L][S] over the steps of each group, NaN left out; NaN where nothing is left.
std::vector<double> means_of_groups(const std::vector<double>& values,
                                    const std::vector<StepGroup>& groups,
                                    int64_t layers,
                                    int64_t steps) {
  std::vector<double> means;
  for (int64_t layer = 0; layer < layers; ++layer) {
    for (const StepGroup& group : groups) {
      double sum = 0;
      int64_t count = 0;
      for (int64_t step = group.first; step <= group.last; ++step) {
        const double value = values[layer * steps + step];
        if (std::isnan(value)) continue;
        sum += value;
        ++count;
      }
      means.push_back(count == 0 ? kNan : sum / static_cast<double>(count));
    }
  }
  return means;
}

}  // namespace

std::vector<double> attention_selectivity(const AttentionRecord& record,
                                          SelectivityFactors factors) {
  const int64_t steps = step_count(record);
  const NamedArray& mass = record.array("mass.step");
  const NamedArray& top_mass = record.array("mass.history_top");
  std::vector<double> selectivity(static_cast<size_t>(record.layers * steps), kNan);
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    for (int64_t step = 0; step < steps; ++step) {
      if (record.steps[step].first_token == 0) continue;
      double current = 0;
      double top = 0;
      for (int64_t head = 0; head < record.heads; ++head) {
        current += mass.at(layer, head, step, step);
        top += top_mass.at(layer, head, step);
      }
      const auto heads = static_cast<double>(record.heads);
      const double first = factors == SelectivityFactors::kHistory ? 1 : current / heads;
      const double second = factors == SelectivityFactors::kCurrent ? 1 : top / heads;
      selectivity[layer * steps + step] = first * second;
    }
  }
  return selectivity;
}

std::vector<StepGroup> single_steps(const AttentionRecord& record) {
  std::vector<StepGroup> groups;
  for (int64_t step = 0; step < step_count(record); ++step) groups.push_back({step, step});
  return groups;
}

std::vector<StepGroup> step_groups(const AttentionRecord& record, int64_t line_tokens) {
  return step_groups(record.steps, line_tokens);
}

int64_t default_drafters(int64_t pairs_with_history) {
  const auto share = std::llround(kDefaultDrafterShare * static_cast<double>(pairs_with_history));
  return std::clamp<int64_t>(share, std::min<int64_t>(pairs_with_history, 1), pairs_with_history);
}

LayerRoles layer_roles(const AttentionRecord& record,
                       const std::vector<StepGroup>& groups,
                       int64_t drafters,
                       SelectivityFactors factors) {
  const auto count = static_cast<int64_t>(groups.size());
  LayerRoles roles{.groups = groups};
  roles.selectivity = means_of_groups(attention_selectivity(record, factors), groups, record.layers,
                                      step_count(record));
  roles.z_score = selectivity_z_scores(roles.selectivity, record.layers, count);
  const int64_t pairs =
      std::ranges::count_if(roles.z_score, [](double z) { return !std::isnan(z); });
  roles.drafters = drafters < 0 ? default_drafters(pairs) : drafters;
  if (roles.drafters > pairs) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("{} drafters asked for; there are {} pairs of a layer and a step with a "
                    "history",
                    roles.drafters, pairs));
  }
  for (const double z : roles.z_score) {
    roles.role.push_back(std::isnan(z) ? LayerRole::kNone : LayerRole::kRefiner);
  }
  for (const auto& [layer, group] :
       lowest_pairs(roles.z_score, record.layers, count, roles.drafters)) {
    roles.role[layer * count + group] = LayerRole::kDrafter;
  }
  return roles;
}

LayerRoles layer_roles(const AttentionRecord& record, int64_t drafters) {
  return layer_roles(record, single_steps(record), drafters);
}

std::vector<StepGroup> groups_without_drafter(const LayerRoles& roles) {
  const auto count = static_cast<int64_t>(roles.groups.size());
  std::vector<StepGroup> found;
  for (int64_t group = 0; group < count; ++group) {
    bool has_history = false;
    bool has_drafter = false;
    for (size_t pair = static_cast<size_t>(group); pair < roles.role.size(); pair += count) {
      has_history = has_history || roles.role[pair] != LayerRole::kNone;
      has_drafter = has_drafter || roles.role[pair] == LayerRole::kDrafter;
    }
    if (has_history && !has_drafter) found.push_back(roles.groups[group]);
  }
  return found;
}

int64_t drafters_for_every_group(const LayerRoles& roles) {
  const auto count = static_cast<int64_t>(roles.groups.size());
  const auto pairs = static_cast<int64_t>(roles.z_score.size());
  std::set<int64_t> seen;
  int64_t drafters = 0;
  int64_t taken = 0;
  for (const auto& [layer, group] : lowest_pairs(roles.z_score, pairs / count, count, pairs)) {
    ++taken;
    if (seen.insert(group).second) drafters = taken;
  }
  return drafters;
}

}  // namespace kvscope
