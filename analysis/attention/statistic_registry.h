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

/// The registered statistics that `options` choose for a model of these steps: those named, or else
/// every one that is defined for it, `raw` and `query_map` only where maps are asked for. Throws
/// Error(kConfig) for an unknown name, one named twice, one that is not defined for the model, and
/// `raw` without maps.
std::vector<RegisteredStatistic> chosen_statistics(const AttentionRecorderOptions& options,
                                                   const std::vector<StepInfo>& steps);

}  // namespace kvscope
