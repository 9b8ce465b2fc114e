#include "experiments/results/page/points_payload.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/report/drawing/colours.h"
#include "experiments/report/page_template.h"
#include "experiments/report/text.h"
#include "experiments/results/comparable.h"
#include "experiments/results/page/cost_axes.h"
#include "experiments/results/page/fronts.h"
#include "experiments/results/page/point_facts.h"
#include "experiments/results/point_labels.h"
#include "experiments/results/sweep_metrics.h"

namespace kvscope {
namespace {

using nlohmann::json;

json number_json(double value) {
  if (std::isnan(value)) return nullptr;
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

json measured_json(const Measured& measured) {
  if (!measured.present()) return printable(measured.missing);
  json fields = json::array(
      {number_json(measured.value), number_json(measured.low), number_json(measured.high)});
  if (measured.part) fields.push_back(measured.part->text());
  return fields;
}

json facts_json(const Facts& facts) {
  json result = json::object();
  for (const auto& [key, value] : facts) result[printable(key)] = printable(value);
  return result;
}

json axes_json() {
  json axes = json::array();
  for (const CostAxis& axis : cost_axes()) {
    axes.push_back({{"key", axis.key},
                    {"label", axis.label},
                    {"unit", axis.unit},
                    {"decimals", axis.decimals}});
  }
  return axes;
}

json metrics_json(const std::vector<Metric>& metrics) {
  json result = json::array();
  for (const Metric& metric : metrics) {
    result.push_back({{"key", metric.name},
                      {"label", metric.label},
                      {"title", metric.title},
                      {"unit", metric.unit},
                      {"higher", metric.higher_is_better},
                      {"decimals", metric.decimals}});
  }
  return result;
}

json front_json(const Front& front) {
  json series = json::array();
  for (const SeriesVolume& one : front.series) {
    series.push_back({printable(one.name), number_json(one.hypervolume)});
  }
  return {{"front", front.points},
          {"corner", {number_json(front.corner.cost), number_json(front.corner.quality)}},
          {"volume", number_json(front.hypervolume)},
          {"series", series}};
}

json group_json(const SweepSummary& sweep,
                const ComparableGroup& group,
                const std::vector<Metric>& metrics) {
  json fronts = json::object();
  for (const CostAxis& axis : cost_axes()) {
    for (const Metric& metric : metrics) {
      fronts[axis.key + " " + metric.name] =
          front_json(front_of(sweep.points, group, axis, metric));
    }
  }
  return {{"name", printable(group.name)}, {"points", group.points}, {"fronts", fronts}};
}

json point_json(const PointSummary& point,
                const Facts& manifest,
                const std::vector<Metric>& metrics) {
  const PointInfo& info = point.point();
  json x = json::array();
  for (const CostAxis& axis : cost_axes()) x.push_back(number_json(axis.value(point)));
  json y = json::array();
  for (const Metric& metric : metrics) y.push_back(measured_json(point.metric(metric)));
  json overrides = json::array();
  for (const std::string& text : info.overrides) overrides.push_back(printable(text));
  return {{"hash", printable(info.point_hash)},
          {"model", printable(info.label("model"))},
          {"policy", printable(info.label("policy"))},
          {"budget", printable(budget_name(info))},
          {"full", info.full_cache},
          {"images", point.result.rows.size()},
          {"folder", printable(point.folder.string())},
          {"x", x},
          {"y", y},
          {"overrides", overrides},
          {"command", printable(command_of(info, manifest))}};
}

json colours_json() {
  json colours = json::array();
  for (size_t i = 0; i + 1 < series_colour_count(); ++i) {  // the last is ink, unseen on dark
    colours.push_back(css_colour(series_colour(i)));
  }
  return colours;
}

}  // namespace

std::string points_payload(const SweepSummary& sweep) {
  const std::vector<Metric> metrics = shown_metrics(sweep);
  std::vector<Facts> settings;
  std::vector<Facts> manifests;
  json points = json::array();
  for (const PointSummary& point : sweep.points) {
    settings.push_back(point.settings);
    manifests.push_back(manifest_of(point));
    points.push_back(point_json(point, manifests.back(), metrics));
  }
  const std::vector<LabelKey> differing = differing_keys(sweep);
  const SharedFacts shared_settings = shared_and_own(std::move(settings));
  const SharedFacts shared_manifest = shared_and_own(std::move(manifests));
  for (size_t i = 0; i < sweep.points.size(); ++i) {
    points[i]["name"] = printable(point_name(sweep.points[i], differing));
    points[i]["settings"] = facts_json(shared_settings.own[i]);
    points[i]["manifest"] = facts_json(shared_manifest.own[i]);
  }
  json groups = json::array();
  const std::vector<ComparableGroup> comparable = comparable_groups(sweep.points);
  for (size_t g = 0; g < comparable.size(); ++g) {
    groups.push_back(group_json(sweep, comparable[g], metrics));
    for (size_t i = 0; i < comparable[g].points.size(); ++i) {
      json& point = points[comparable[g].points[i]];
      point["group"] = g;
      point["series"] = printable(comparable[g].series[i]);
    }
  }
  const json page = {{"axes", axes_json()},
                     {"metrics", metrics_json(metrics)},
                     {"points", points},
                     {"groups", groups},
                     {"settings", facts_json(shared_settings.shared)},
                     {"manifest", facts_json(shared_manifest.shared)},
                     {"colours", colours_json()}};
  return page.dump();
}

}  // namespace kvscope
