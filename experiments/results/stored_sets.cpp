#include "experiments/results/stored_sets.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/text_file.h"

namespace kvscope {
namespace {

using nlohmann::json;

constexpr const char* kFile = "set_metrics.json";

json read_all(const std::filesystem::path& folder) {
  const std::optional<std::string> text = text_of_file(folder / kFile);
  json all = text ? json::parse(*text, nullptr, false) : json::object();
  return all.is_object() ? all : json::object();
}

/// JSON knows no NaN.
json number(double value) {
  return std::isfinite(value) ? json(value) : json(nullptr);
}

double number_of(const json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::optional<StoredSet> stored_set(const std::filesystem::path& folder,
                                    const std::string& metric) {
  const json all = read_all(folder);
  const auto found = all.find(metric);
  if (found == all.end()) return std::nullopt;
  try {
    const MetricOrigins origins =
        origins_from_json(json({{metric, found->at("origin")}}).dump(), (folder / kFile).string());
    return StoredSet{
        .origin = origins.at(metric),
        .images = found->at("images").get<std::string>(),
        .summary = {.interval = {number_of(found->at("value")), number_of(found->at("low")),
                                 number_of(found->at("high"))},
                    .left_out = found->at("left_out").get<int64_t>()}};
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

void store_set(const std::filesystem::path& folder,
               const std::string& metric,
               const StoredSet& stored) {
  const Interval& interval = stored.summary.interval;
  json all = read_all(folder);
  all[metric] = {{"origin", json::parse(origins_json({{metric, stored.origin}})).at(metric)},
                 {"images", stored.images},
                 {"value", number(interval.estimate)},
                 {"low", number(interval.low)},
                 {"high", number(interval.high)},
                 {"left_out", stored.summary.left_out}};
  try {
    write_file_atomically(folder / kFile, all.dump(2) + "\n");
  } catch (const Error&) {
    // It is measured again next time.
  }
}

}  // namespace kvscope
