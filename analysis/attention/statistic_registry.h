#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analysis/attention/attention_options.h"
#include "analysis/attention/statistic.h"

namespace kvscope {

/// One line of statistics.def.
struct RegisteredStatistic {
  std::string name{};
  std::string help{};
  std::unique_ptr<AttentionStatistic> (*make)(const AttentionRecorderOptions& options) = nullptr;
};

/// All of them, in the order of statistics.def.
std::vector<RegisteredStatistic> attention_statistics();

/// "any model", "next-scale models", "next-token models".
std::string models_text(StatisticModels models);
/// What recording it takes beside the generation, from what it reads.
std::string cost_text(const AttentionNeeds& needs);

/// Whether a statistic of `models` is defined for steps that begin as `steps` do.
bool defined_for(StatisticModels models, const std::vector<StepInfo>& steps);

/// Names of AttentionRecorderOptions::statistics that stand for several, beside patterns such as
/// "sink.*": those that are recorded where nobody chooses, and every one there is.
inline constexpr const char* kDefaultStatistics = "default";
inline constexpr const char* kAllStatistics = "all";

/// Whether one of those, or a pattern, is among `names`.
bool names_a_set(const std::vector<std::string>& names);

/// The registered statistics that `options` choose for a model of these steps: those named, or else
/// the default ones; of sets only what can be recorded: what is defined for the model, what needs
/// guidance where there is guidance. `map.query` and `map.raw` are of no set, but chosen by
/// options.query_maps, by options.raw_heads, or a pattern. Throws Error(kConfig) for an unknown
/// name, one named twice, a named statistic that cannot be recorded, and patterns where nothing can
/// be.
std::vector<RegisteredStatistic> chosen_statistics(const AttentionRecorderOptions& options,
                                                   const std::vector<StepInfo>& steps);

}  // namespace kvscope
