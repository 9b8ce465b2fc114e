#include "experiments/results/metric_origins.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/base/json_finding.h"
#include "experiments/results/result_file.h"

namespace kvscope {
namespace {

using nlohmann::json;

bool is_known(const std::string& name) {
  for (const Metric& metric : metrics()) {
    if (metric.name == name) return metric.scope != MetricScope::kSet;
  }
  return false;
}

}  // namespace

std::string origins_json(const MetricOrigins& origins) {
  json all = json::object();
  for (const auto& [name, origin] : origins) {
    all[name] = {{"implementation", origin.implementation}, {"inputs", origin.inputs}};
  }
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

MetricOrigins origins_from_json(const std::string& text, const std::string& where) {
  MetricOrigins origins;
  try {
    const json all = json::parse(text);
    for (const auto& [name, entry] : all.items()) {
      origins[name] = {.implementation = entry.at("implementation").get<std::string>(),
                       .inputs = entry.at("inputs").get<std::map<std::string, std::string>>()};
    }
  } catch (const json::exception& error) {
    throw Error(ErrorKind::kInput, fmt::format("{}: expected origins of metrics by name: {}", where,
                                               json_finding(error)));
  }
  return origins;
}

void forget_other_origins(std::span<ImageRow> rows,
                          const MetricOrigins& stored,
                          const MetricOrigins& wanted) {
  for (const auto& [name, origin] : wanted) {
    const auto found = stored.find(name);
    if (!is_known(name) || (found != stored.end() && found->second == origin)) continue;
    for (ImageRow& row : rows) row.metrics[name] = kNotMeasured;
  }
}

}  // namespace kvscope
