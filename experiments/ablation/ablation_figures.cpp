#include "experiments/ablation/ablation_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kvscope {
namespace {

bool has_differences(const AblationResult& result) {
  return std::ranges::any_of(result.effects, [](const HiddenEffect& effect) {
    return std::isfinite(effect.difference.estimate);
  });
}

bool leaves_out(const AblationResult& result) {
  return std::ranges::any_of(result.effects,
                             [](const HiddenEffect& one) { return one.measured.left_out > 0; });
}

std::string name_of(const HiddenValue& value) {
  return value.shape.empty() ? value.label : fmt::format("{} ({})", value.label, value.shape);
}

int64_t most_images(const AblationResult& result) {
  int64_t most = 0;
  for (const HiddenEffect& effect : result.effects) most = std::max(most, effect.images);
  return most;
}

std::string what_is_hidden(const Ablation& ablation) {
  std::string text;
  for (const AblationAxis& axis : ablation.axes())
    text += (text.empty() ? "" : " and ") + axis.name;
  return text;
}

std::string title_of(const AblationResult& result) {
  return fmt::format("{}, one {} hidden", result.metric.title, what_is_hidden(result.ablation));
}

std::vector<std::string> provenance_of(const AblationResult& result) {
  std::vector<std::string> hashes{result.reference_hash};
  for (const HiddenEffect& effect : result.effects) {
    if (!effect.hash.empty()) hashes.push_back(effect.hash);
  }
  return hashes;
}

/// Whether an axis says what is hidden, rather than where all of it is.
bool says_what_is_hidden(const Ablation& ablation) {
  return std::ranges::any_of(ablation.axes(), [](const AblationAxis& axis) {
    return axis.kind == HiddenKind::kScale || axis.kind == HiddenKind::kSink ||
           axis.kind == HiddenKind::kText;
  });
}

/// "scale whose tokens are hidden": what stands along an axis.
std::string axis_label(const Ablation& ablation, const AblationAxis& axis) {
  switch (axis.kind) {
    case HiddenKind::kLayer:
      return "layer";
    case HiddenKind::kHead:
      return "head";
    case HiddenKind::kScale:
      return "scale whose tokens are hidden";
    case HiddenKind::kStep:
      return says_what_is_hidden(ablation) ? "step from which it is hidden"
                                           : "step that sees no history";
    case HiddenKind::kSink:
      return "first tokens hidden";
    case HiddenKind::kText:
      break;
  }
  return "hidden";
}

double drawn_value(const HiddenEffect& effect) {
  return effect.measured.present() ? effect.measured.value
                                   : std::numeric_limits<double>::quiet_NaN();
}

std::string value_label(const Metric& metric) {
  return metric.unit.empty() ? metric.label : fmt::format("{} ({})", metric.label, metric.unit);
}

}  // namespace

Table ablation_table(const AblationResult& result) {
  const Metric& metric = result.metric;
  const Better better = metric.higher_is_better ? Better::kHigher : Better::kLower;
  const bool differences = has_differences(result);
  const bool left_out = leaves_out(result);
  Table table{.title = fmt::format("{}: {}", result.model, title_of(result))};
  table.interval_name = "half width of the 95 % confidence interval";
  for (const AblationAxis& axis : result.ablation.axes()) {
    table.columns.push_back(
        {.header = axis.name, .align = Align::kLeft, .importance = Importance::kRow});
  }
  table.columns.push_back(
      {.header = metric.label, .unit = metric.unit, .better = better, .decimals = metric.decimals});
  if (left_out) table.columns.push_back({.header = metric.left_out, .decimals = 0});
  if (differences) {
    table.columns.push_back({.header = "difference to nothing hidden",
                             .unit = metric.unit,
                             .decimals = metric.decimals});
  }
  table.columns.push_back(
      {.header = "images", .decimals = 0, .importance = Importance::kBookkeeping});
  TableRow nothing{.reference = true};
  for (size_t axis = 0; axis < result.ablation.axes().size(); ++axis) {
    nothing.cells.push_back(TableCell::text(axis == 0 ? "nothing" : ""));
  }
  nothing.cells.push_back(result.reference.cell());
  const TableCell itself = TableCell::missing("what the others are compared with");
  if (left_out) nothing.cells.push_back(itself);
  if (differences) nothing.cells.push_back(itself);
  nothing.cells.push_back(TableCell::number(static_cast<double>(most_images(result))));
  table.rows.push_back(std::move(nothing));
  for (int64_t thing = 0; thing < result.ablation.size(); ++thing) {
    const HiddenEffect& effect = result.effects[static_cast<size_t>(thing)];
    if (effect.hash.empty()) continue;  // nothing to hide
    TableRow row;
    for (size_t axis = 0; axis < result.ablation.axes().size(); ++axis) {
      row.cells.push_back(TableCell::text(name_of(result.ablation.value(thing, axis))));
    }
    row.cells.push_back(effect.measured.cell());
    if (left_out) {
      row.cells.push_back(TableCell::number(static_cast<double>(effect.measured.left_out)));
    }
    if (differences) {
      const Interval& by = effect.difference;
      row.cells.push_back(std::isnan(by.estimate)
                              ? TableCell::missing("no image with a finite value in both")
                              : TableCell::between(by.estimate, by.low, by.high));
    }
    row.cells.push_back(TableCell::number(static_cast<double>(effect.images)));
    table.rows.push_back(std::move(row));
  }
  table.provenance = provenance_of(result);
  return table;
}

Heatmap ablation_map(const AblationResult& result) {
  const std::vector<AblationAxis>& axes = result.ablation.axes();
  Heatmap map;
  map.title = title_of(result);
  map.subtitle =
      fmt::format("{}, mean over {} images; nothing is evicted", result.model, most_images(result));
  map.row_axis = axis_label(result.ablation, axes[0]);
  map.column_axis = axis_label(result.ablation, axes[1]);
  map.value_label = value_label(result.metric);
  for (const HiddenValue& value : axes[0].values) map.row_labels.push_back(value.label);
  for (const HiddenValue& value : axes[1].values) map.column_labels.push_back(value.label);
  bool hatched = false;
  for (const HiddenEffect& effect : result.effects) {
    map.values.push_back(drawn_value(effect));
    hatched = hatched || !std::isfinite(map.values.back());
  }
  if (hatched) map.marks_note = "hatched: no image changed, or there was nothing to hide";
  map.provenance = provenance_of(result);
  return map;
}

Chart ablation_chart(const AblationResult& result) {
  const AblationAxis& axis = result.ablation.axes().front();
  Chart chart;
  chart.title = title_of(result);
  chart.subtitle = fmt::format("{}, mean over {} images with its 95 % interval; nothing is evicted",
                               result.model, most_images(result));
  chart.x.label = axis_label(result.ablation, axis);
  chart.y = {
      .label = result.metric.label, .unit = result.metric.unit, .remark = result.metric.remark()};
  ChartSeries series{.name = axis.name + " hidden"};
  for (size_t i = 0; i < result.effects.size(); ++i) {
    const Measured& measured = result.effects[i].measured;
    series.points.push_back({.x = static_cast<double>(axis.values[i].first),
                             .y = drawn_value(result.effects[i]),
                             .y_low = measured.low,
                             .y_high = measured.high});
  }
  chart.series.push_back(std::move(series));
  if (result.reference.present() && std::isfinite(result.reference.value)) {
    chart.references.push_back({.value = result.reference.value, .label = "nothing hidden"});
  }
  chart.height_px = 400;
  chart.provenance = provenance_of(result);
  return chart;
}

}  // namespace kvscope
