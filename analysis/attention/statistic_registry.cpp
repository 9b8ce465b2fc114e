#include "analysis/attention/statistic_registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>

#include "analysis/attention/former_names.h"
#include "core/base/error.h"

namespace kvscope {

#define KVSCOPE_STATISTIC(group, name, help)                           \
  std::unique_ptr<AttentionStatistic> make_statistic_##group##_##name( \
      const AttentionRecorderOptions&);
#include "analysis/attention/statistics.def"
#undef KVSCOPE_STATISTIC

std::vector<RegisteredStatistic> attention_statistics() {
  std::vector<RegisteredStatistic> all;
#define KVSCOPE_STATISTIC(group, name, help) \
  all.push_back({#group "." #name, help, make_statistic_##group##_##name});
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
  if (needs.unconditional) parts.emplace_back("column sums of the unconditional rows");
  if (needs.received_mass) parts.emplace_back("column sums, two numbers kept for every key");
  if (needs.attention_rows) parts.emplace_back("rows of sampled queries");
  if (needs.head_rows) parts.emplace_back("rows of the chosen heads");
  if (needs.last_queries) parts.emplace_back("the last queries, kept for every layer");
  if (needs.values) parts.emplace_back("values of held tokens");
  if (needs.full_cache) parts.emplace_back("a full cache beside, and attention with it");
  if (needs.full_images) parts.emplace_back("the images again with a full cache");
  if (needs.layer_step) parts.emplace_back("queries, keys, values and hidden states");
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, "; "));
}

bool defined_for(StatisticModels models, const std::vector<StepInfo>& steps) {
  if (models == StatisticModels::kAny) return true;
  const bool next_token = !steps.empty() && steps.front().kind != StepKind::kScale;
  return next_token == (models == StatisticModels::kNextToken);
}

namespace {

bool is_pattern(const std::string& name) {
  return name.find_first_of("*?") != name.npos;
}

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

/// Throws Error(kConfig) for a name that is none, a pattern of none, and one that comes twice.
void check_names(const std::vector<std::string>& names,
                 const std::vector<RegisteredStatistic>& all) {
  std::vector<std::string> known;
  for (const RegisteredStatistic& one : all) known.push_back(one.name);
  known.insert(known.end(), {kDefaultStatistics, kAllStatistics});
  for (const std::string& name : names) {
    const bool is_known =
        std::ranges::find(known, name) != known.end() ||
        (is_pattern(name) && std::ranges::any_of(all, [&](const RegisteredStatistic& one) {
           return matches(name, one.name);
         }));
    if (!is_known) {
      const std::string today = name_since_version_3(name);
      throw Error(ErrorKind::kConfig,
                  fmt::format("attention record: no statistic '{}'. {}", name,
                              today != name ? fmt::format("It is called '{}' now.", today)
                                            : suggestion(name, known)));
    }
    if (std::ranges::count(names, name) > 1) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("attention record: the statistic '{}' is named twice", name));
    }
  }
}

/// Why a statistic cannot be recorded; empty where it can.
std::string obstacle_to(const std::string& name,
                        const StatisticInfo& info,
                        const AttentionRecorderOptions& options,
                        const std::vector<StepInfo>& steps) {
  if (name == "map.raw" && options.raw_heads.empty()) {
    return "the statistic 'map.raw' keeps the maps that --raw LAYER:HEAD names; none is named. Try "
           "--raw 0:0";
  }
  if (!defined_for(info.models, steps)) {
    return fmt::format("the statistic '{}' is defined for {}; this model is none of them", name,
                       models_text(info.models));
  }
  if (info.needs_guidance && !options.guided) {
    return fmt::format(
        "the statistic '{}' compares the two rows of an image under classifier-free guidance; "
        "there is none here. Try gen.cfg=3",
        name);
  }
  return {};
}

}  // namespace

bool names_a_set(const std::vector<std::string>& names) {
  return std::ranges::any_of(names, [](const std::string& name) {
    return name == kDefaultStatistics || name == kAllStatistics || is_pattern(name);
  });
}

std::vector<RegisteredStatistic> chosen_statistics(const AttentionRecorderOptions& options,
                                                   const std::vector<StepInfo>& steps) {
  const std::vector<RegisteredStatistic> all = attention_statistics();
  const std::vector<std::string>& names = options.statistics;
  check_names(names, all);
  const auto is_named = [&](const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  };
  std::vector<RegisteredStatistic> chosen;
  std::string of_patterns;  // why what a pattern names cannot be recorded
  for (const RegisteredStatistic& one : all) {
    const StatisticInfo info = one.make(options)->info();
    const bool is_of_default = info.by_default && (names.empty() || is_named(kDefaultStatistics));
    const bool is_of_set = one.name == "map.query" ? options.query_maps
                           : one.name == "map.raw" ? !options.raw_heads.empty()
                                                   : is_named(kAllStatistics) || is_of_default;
    const bool is_matched = std::ranges::any_of(names, [&](const std::string& name) {
      return is_pattern(name) && matches(name, one.name);
    });
    if (!is_named(one.name) && !is_of_set && !is_matched) continue;
    const std::string obstacle = obstacle_to(one.name, info, options, steps);
    if (!obstacle.empty() && is_named(one.name)) {
      throw Error(ErrorKind::kConfig, "attention record: " + obstacle);
    }
    if (obstacle.empty()) {
      chosen.push_back(one);
    } else if (is_matched) {
      of_patterns = obstacle;
    }
  }
  if (chosen.empty() && !of_patterns.empty()) {
    throw Error(ErrorKind::kConfig, "attention record: " + of_patterns);
  }
  return chosen;
}

}  // namespace kvscope
