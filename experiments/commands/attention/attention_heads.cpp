#include "experiments/commands/attention/attention_heads.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "analysis/attention/attention_file.h"
#include "core/base/error.h"
#include "experiments/commands/attention/attention_profile.h"
#include "experiments/commands/json_output.h"
#include "experiments/commands/table_json.h"
#include "experiments/report/figures/heatmap.h"
#include "experiments/report/tables/table.h"
#include "experiments/terminal.h"
#include "policies/profiles/profile_file.h"

namespace kvscope {
namespace {

/// A metric of every head with the side of each.
struct HeadFinding {
  std::string title{};
  std::string remark{};       // how it was measured
  std::string kind{};         // of the heads in `is_narrow`: "spatial"
  std::string value_label{};  // of the figure
  ProfileMetric metric{};
  std::vector<double> values{};      // [L * H]
  std::vector<uint8_t> is_narrow{};  // [L * H]
};

std::string model_of(const AttentionRecord& record) {
  return record.model.empty() ? "a model" : record.model;
}

HeadFinding sparsity_finding(const AttentionRecord& record, const AttentionHeadsOptions& options) {
  const Neighbourhood& near = options.neighbourhood;
  HeadFinding finding{
      .title = "Sparsity of heads",
      .remark = fmt::format(
          "share of attention outside a query's neighbourhood: itself and the last {} tokens{}",
          near.recent_tokens,
          near.lines_above == 0
              ? ""
              : fmt::format(", and up to {} columns beside it in the {} lines above",
                            near.columns_beside, near.lines_above)),
      .kind = "spatial",
      .value_label = "share outside",
      .metric = {.name = "sparsity",
                 .parameters = {{"recent_tokens", static_cast<double>(near.recent_tokens)},
                                {"lines_above", static_cast<double>(near.lines_above)},
                                {"columns_beside", static_cast<double>(near.columns_beside)}}},
      .values = head_sparsity(record, near)};
  for (const double value : finding.values) {
    finding.is_narrow.push_back(value < options.threshold ? 1 : 0);
  }
  return finding;
}

HeadFinding variance_finding(const AttentionRecord& record, const AttentionHeadsOptions& options) {
  HeadFinding finding{.title = "Variance of heads",
                      .remark =
                          "variance over the last scale's queries of what a key receives, "
                          "summed over keys",
                      .kind = "contextual",
                      .value_label = "variance",
                      .metric = {.name = "variance", .parameters = {}},
                      .values = head_variance(record)};
  for (const auto& [name, value] : record.array("variance.query").parameters) {
    finding.metric.parameters[name] = static_cast<double>(value);
  }
  finding.is_narrow = contextual_heads(finding.values, options.share);
  return finding;
}

Table heads_table(const AttentionRecord& record, const HeadFinding& finding) {
  Table table;
  table.title = fmt::format("{} of {}, {} images", finding.title, model_of(record), record.images);
  table.columns = {{.header = "layer", .decimals = 0},
                   {.header = "mean", .decimals = 4},
                   {.header = "least", .decimals = 4},
                   {.header = "most", .decimals = 4},
                   {.header = finding.kind + " heads", .decimals = 0}};
  const auto heads = static_cast<std::ptrdiff_t>(record.heads);
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    const auto first = finding.values.begin() + layer * heads;
    const auto narrow = finding.is_narrow.begin() + layer * heads;
    const double mean =
        std::accumulate(first, first + heads, 0.0) / static_cast<double>(record.heads);
    table.rows.push_back(
        {.cells = {TableCell::number(static_cast<double>(layer)), TableCell::number(mean),
                   TableCell::number(*std::min_element(first, first + heads)),
                   TableCell::number(*std::max_element(first, first + heads)),
                   TableCell::number(
                       static_cast<double>(std::count(narrow, narrow + heads, uint8_t{1})))}});
  }
  table.provenance = record.provenance();
  return table;
}

Heatmap heads_map(const AttentionRecord& record, const HeadFinding& finding) {
  Heatmap map;
  map.title = finding.title;
  map.subtitle = fmt::format("{}, {} images", model_of(record), record.images);
  map.row_axis = "layer";
  map.column_axis = "head";
  map.value_label = finding.value_label;
  if (finding.kind == "spatial") {
    map.minimum = 0;
    map.maximum = 1;
  }
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    map.row_labels.push_back(fmt::format("{}", layer));
  }
  for (int64_t head = 0; head < record.heads; ++head) {
    map.column_labels.push_back(fmt::format("{}", head));
  }
  map.values = finding.values;
  const std::string sign = finding.kind.substr(0, 1);
  for (int64_t pair = 0; pair < record.layers * record.heads; ++pair) {
    if (finding.is_narrow[static_cast<size_t>(pair)] == 0) continue;
    map.marks.push_back({.row = pair / record.heads, .column = pair % record.heads, .text = sign});
  }
  map.marks_note = fmt::format("{}: {} ({} of {} heads)", sign, finding.kind, map.marks.size(),
                               finding.values.size());
  map.provenance = record.provenance();
  return map;
}

Profile profile_of(const AttentionRecord& record,
                   const HeadFinding& finding,
                   const AttentionHeadsOptions& options) {
  Profile profile = profile_of_record(record, options.file, ProfileKind::kHeads);
  profile.metric = finding.metric;
  profile.source.note = finding.remark;
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    const auto first = finding.values.begin() + layer * record.heads;
    profile.values.emplace_back(first, first + record.heads);
  }
  return profile;
}

void check(const AttentionHeadsOptions& options) {
  static const std::vector<std::string> kMetrics = {"auto", "sparsity", "variance"};
  if (std::ranges::find(kMetrics, options.metric) == kMetrics.end()) {
    throw Error(ErrorKind::kConfig, fmt::format("--metric {}: {}", options.metric,
                                                suggestion(options.metric, kMetrics)));
  }
  for (const double share : {options.threshold, options.share}) {
    if (!(share >= 0 && share <= 1)) {
      throw Error(ErrorKind::kConfig, fmt::format("--threshold {} --share {}: expected numbers "
                                                  "from 0 to 1",
                                                  options.threshold, options.share));
    }
  }
}

}  // namespace

int attention_heads_command(const AttentionHeadsOptions& options) {
  check(options);
  const AttentionRecord record = read_attention(options.file);
  const bool variance = options.metric == "variance" ||
                        (options.metric == "auto" && !record.arrays.contains("mass.offset"));
  HeadFinding finding;
  try {
    finding = variance ? variance_finding(record, options) : sparsity_finding(record, options);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", options.file.string(), error.what()));
  }
  const std::string stem =
      (options.file.parent_path() / (options.file.stem().string() + "-heads")).string();
  const std::filesystem::path out =
      options.out.empty() ? std::filesystem::path(stem + ".yaml") : options.out;
  write_profile(out, profile_of(record, finding, options));
  const Heatmap map = heads_map(record, finding);
  const Canvas canvas = draw_heatmap(map);
  write_figure(canvas, stem + ".svg", heatmap_info(map));
  write_figure(canvas, stem + ".png", heatmap_info(map));
  if (options.json) {
    print_json({{"table", table_json(heads_table(record, finding))},
                {"files", {out.string(), stem + ".svg", stem + ".png"}}});
    return 0;
  }
  fmt::print("{}{}\n{}\n{}.svg\n{}.png\n",
             console_table(heads_table(record, finding), console_style()), map.marks_note,
             out.string(), stem, stem);
  return 0;
}

}  // namespace kvscope
