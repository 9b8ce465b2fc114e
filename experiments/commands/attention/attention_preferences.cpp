#include "experiments/commands/attention/attention_preferences.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

#include "analysis/attention/attention_file.h"
#include "core/base/error.h"
#include "experiments/commands/attention/attention_profile.h"
#include "experiments/commands/json_output.h"
#include "experiments/commands/table_json.h"
#include "experiments/report/tables/table.h"
#include "experiments/terminal.h"
#include "policies/profiles/profile_file.h"
#include "policies/signals/cake_scores.h"

namespace kvscope {
namespace {

std::vector<double> preferences_of(const AttentionRecord& record,
                                   const AttentionPreferencesOptions& options) {
  const NamedArray& entropy = record.array("entropy.window");
  const NamedArray& variance = record.array("variance.window");
  std::vector<double> preferences;
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    preferences.push_back(
        layer_preference({.entropy = entropy.at(layer), .variance = variance.at(layer)},
                         options.tau1, options.tau2));
    if (!std::isfinite(preferences.back())) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: layer {}: entropy {} and variance {} give no finite preference",
                              options.file.string(), layer, entropy.at(layer), variance.at(layer)));
    }
  }
  return preferences;
}

Table preferences_table(const AttentionRecord& record, const std::vector<double>& preferences) {
  Table table;
  table.title =
      fmt::format("Layer preferences{}{}, last {} queries", record.model.empty() ? "" : " of ",
                  record.model, record.array("entropy.window").parameter("queries"));
  table.columns = {{.header = "layer", .decimals = 0},
                   {.header = "entropy", .decimals = 3},
                   {.header = "variance", .decimals = 5},
                   {.header = "preference", .decimals = 5},
                   {.header = "share %", .decimals = 2}};
  double all = 0;
  for (const double preference : preferences) all += preference;
  for (std::size_t layer = 0; layer < preferences.size(); ++layer) {
    table.rows.push_back(
        {.cells = {TableCell::number(static_cast<double>(layer)),
                   TableCell::number(record.array("entropy.window").at(layer)),
                   TableCell::number(record.array("variance.window").at(layer)),
                   TableCell::number(preferences[layer]),
                   TableCell::number(all > 0 ? 100 * preferences[layer] / all : 0)}});
  }
  table.provenance = record.provenance();
  return table;
}

}  // namespace

int attention_preferences_command(const AttentionPreferencesOptions& options) {
  if (!(options.tau1 > 0 && options.tau2 > 0)) {
    throw Error(ErrorKind::kConfig, fmt::format("--tau1 {} --tau2 {}: expected numbers above 0",
                                                options.tau1, options.tau2));
  }
  const AttentionRecord record = read_attention(options.file);
  if (!record.arrays.contains("entropy.window") || !record.arrays.contains("variance.window")) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: recorded without entropy and variance of the last queries' "
                            "attention; record it again: kvscope attention record --statistics "
                            "entropy.window,variance.window",
                            options.file.string()));
  }
  const std::vector<double> preferences = preferences_of(record, options);
  const std::filesystem::path out =
      options.out.empty()
          ? options.file.parent_path() / (options.file.stem().string() + "-preferences.yaml")
          : options.out;
  Profile profile = profile_of_record(record, options.file, ProfileKind::kLayers);
  const int64_t queries = record.array("entropy.window").parameter("queries");
  profile.metric = {.name = "preference",
                    .parameters = {{"tau1", options.tau1},
                                   {"tau2", options.tau2},
                                   {"queries", static_cast<double>(queries)}}};
  profile.source.note =
      "CAKE's entropy^(1/tau1) * variance^(1/tau2) of the last queries' attention";
  for (const double preference : preferences) profile.values.push_back({preference});
  write_profile(out, profile);
  if (options.json) {
    print_json(
        {{"table", table_json(preferences_table(record, preferences))}, {"files", {out.string()}}});
    return 0;
  }
  fmt::print("{}{}\n", console_table(preferences_table(record, preferences), console_style()),
             out.string());
  return 0;
}

}  // namespace kvscope
