#include "analysis/attention/statistic_registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/error.h"

namespace kvscope {

#define KVSCOPE_STATISTIC(name, help) \
  std::unique_ptr<AttentionStatistic> make_statistic_##name(const AttentionRecorderOptions&);
#include "analysis/attention/statistics.def"
#undef KVSCOPE_STATISTIC

std::vector<RegisteredStatistic> attention_statistics() {
  std::vector<RegisteredStatistic> all;
#define KVSCOPE_STATISTIC(name, help) all.push_back({#name, help, make_statistic_##name});
#include "analysis/attention/statistics.def"
#undef KVSCOPE_STATISTIC
  return all;
}

std::string models_text(StatisticModels models) {
  if (models == StatisticModels::kNextScale) return "next-scale models";
  if (models == StatisticModels::kNextToken) return "next-token models";
  return "any model";
}

std::string cost_text(const AttentionNeeds& needs) {
  std::vector<std::string> parts;
  if (needs.column_sums) parts.emplace_back("column sums: a second pass over Q and K");
  if (needs.attention_rows) parts.emplace_back("rows of sampled queries");
  if (needs.head_rows) parts.emplace_back("rows of the chosen heads");
  if (needs.last_queries) parts.emplace_back("the last queries, kept for every layer");
  if (needs.layer_step) parts.emplace_back("queries, keys and values");
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, "; "));
}

bool defined_for(StatisticModels models, const std::vector<StepInfo>& steps) {
  if (models == StatisticModels::kAny) return true;
  const bool next_token = !steps.empty() && steps.front().kind != StepKind::kScale;
  return next_token == (models == StatisticModels::kNextToken);
}

std::vector<RegisteredStatistic> chosen_statistics(const AttentionRecorderOptions& options,
                                                   const std::vector<StepInfo>& steps) {
  const std::vector<RegisteredStatistic> all = attention_statistics();
  std::vector<std::string> known;
  for (const RegisteredStatistic& one : all) known.push_back(one.name);
  for (const std::string& name : options.statistics) {
    if (std::ranges::find(known, name) == known.end()) {
      throw Error(ErrorKind::kConfig, fmt::format("attention record: no statistic '{}'. {}", name,
                                                  suggestion(name, known)));
    }
    if (std::ranges::count(options.statistics, name) > 1) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("attention record: the statistic '{}' is named twice", name));
    }
  }
  std::vector<RegisteredStatistic> chosen;
  for (const RegisteredStatistic& one : all) {
    const bool is_named =
        std::ranges::find(options.statistics, one.name) != options.statistics.end();
    const bool is_asked_for =
        one.name == "query_map" ? options.query_maps : options.statistics.empty();
    if (!is_named && !is_asked_for) continue;
    const StatisticModels models = one.make(options)->info().models;
    const bool lacks_maps = one.name == "raw" && options.raw_heads.empty();
    if (defined_for(models, steps) && !lacks_maps) {
      chosen.push_back(one);
    } else if (is_named) {
      throw Error(ErrorKind::kConfig,
                  lacks_maps
                      ? "attention record: the statistic 'raw' keeps the maps that --raw "
                        "LAYER:HEAD names; none is named. Try --raw 0:0"
                      : fmt::format("attention record: the statistic '{}' is defined for {}; "
                                    "this model is none of them",
                                    one.name, models_text(models)));
    }
  }
  return chosen;
}

}  // namespace kvscope
