#include "analysis/attention/selectivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kEpsilon = 1e-8;
constexpr double kDefaultDrafterShare = 0.06;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

int64_t step_count(const AttentionRecord& record) {
  return static_cast<int64_t>(record.steps.size());
}

/// (ASI - mean) / (std + eps) within each step; std with divisor L.
std::vector<double> z_scores(const std::vector<double>& selectivity,
                             int64_t layers,
                             int64_t steps) {
  std::vector<double> scores(selectivity.size(), kNan);
  for (int64_t step = 0; step < steps; ++step) {
    if (std::isnan(selectivity[step])) continue;
    double mean = 0;
    for (int64_t layer = 0; layer < layers; ++layer) mean += selectivity[layer * steps + step];
    mean /= static_cast<double>(layers);
    double variance = 0;
    for (int64_t layer = 0; layer < layers; ++layer) {
      variance += std::pow(selectivity[layer * steps + step] - mean, 2);
    }
    const double deviation = std::sqrt(variance / static_cast<double>(layers));
    for (int64_t layer = 0; layer < layers; ++layer) {
      scores[layer * steps + step] =
          (selectivity[layer * steps + step] - mean) / (deviation + kEpsilon);
    }
  }
  return scores;
}

int64_t pairs_with_history(const AttentionRecord& record) {
  return record.layers * std::ranges::count_if(record.steps, [](const StepInfo& step) {
           return step.first_token > 0;
         });
}

}  // namespace

std::vector<double> attention_selectivity(const AttentionRecord& record) {
  const int64_t steps = step_count(record);
  std::vector<double> selectivity(static_cast<size_t>(record.layers * steps), kNan);
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    for (int64_t step = 0; step < steps; ++step) {
      if (record.steps[step].first_token == 0) continue;
      double current = 0;
      double top = 0;
      for (int64_t head = 0; head < record.heads; ++head) {
        current += record.mass(layer, head, step, step);
        top += record.history_top_mass[record.at(layer, head, step)];
      }
      const auto heads = static_cast<double>(record.heads);
      selectivity[layer * steps + step] = (current / heads) * (top / heads);
    }
  }
  return selectivity;
}

int64_t default_drafters(const AttentionRecord& record) {
  const int64_t pairs = pairs_with_history(record);
  const auto share = std::llround(kDefaultDrafterShare * static_cast<double>(pairs));
  return std::clamp<int64_t>(share, std::min<int64_t>(pairs, 1), pairs);
}

LayerRoles layer_roles(const AttentionRecord& record, int64_t drafters) {
  const int64_t steps = step_count(record);
  const int64_t pairs = pairs_with_history(record);
  LayerRoles roles;
  roles.drafters = drafters < 0 ? default_drafters(record) : drafters;
  if (roles.drafters > pairs) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("{} drafters asked for; there are {} pairs of a layer and a step with a "
                    "history",
                    roles.drafters, pairs));
  }
  roles.selectivity = attention_selectivity(record);
  roles.z_score = z_scores(roles.selectivity, record.layers, steps);
  roles.role.assign(roles.selectivity.size(), LayerRole::kNone);
  std::vector<std::tuple<double, int64_t, int64_t>> ranked;  // Z, step, layer
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    for (int64_t step = 0; step < steps; ++step) {
      const double z = roles.z_score[layer * steps + step];
      if (!std::isnan(z)) ranked.emplace_back(z, step, layer);
    }
  }
  std::ranges::sort(ranked);
  for (size_t i = 0; i < ranked.size(); ++i) {
    const auto [z, step, layer] = ranked[i];
    roles.role[layer * steps + step] =
        static_cast<int64_t>(i) < roles.drafters ? LayerRole::kDrafter : LayerRole::kRefiner;
  }
  return roles;
}

}  // namespace kvscope
