#include "experiments/commands/attention/attention_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <string>

#include "analysis/attention/statistic_registry.h"

namespace kvscope {
namespace {

void print_text(const RegisteredStatistic& one, const StatisticInfo& info) {
  fmt::print("{:<26} {}\n{:<26} {} [{}], {}{}{}; {}\n", one.name, one.help, "",
             fmt::join(info.axes, " x "), info.unit, models_text(info.models),
             info.needs_guidance ? " under guidance" : "", info.by_default ? ", default" : "",
             cost_text(info.needs));
}

void print_json(const RegisteredStatistic& one, const StatisticInfo& info) {
  const nlohmann::ordered_json line{{"name", one.name},
                                    {"axes", info.axes},
                                    {"unit", info.unit},
                                    {"models", models_text(info.models)},
                                    {"guidance", info.needs_guidance},
                                    {"default", info.by_default},
                                    {"cost", cost_text(info.needs)},
                                    {"help", one.help}};
  fmt::print("{}\n", line.dump());
}

}  // namespace

int attention_list_command(const AttentionListOptions& options) {
  for (const RegisteredStatistic& one : attention_statistics()) {
    const StatisticInfo info = one.make({})->info();
    options.json ? print_json(one, info) : print_text(one, info);
  }
  return 0;
}

}  // namespace kvscope
