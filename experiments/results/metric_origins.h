#pragma once

#include <map>
#include <span>
#include <string>

#include "analysis/metrics/metric.h"

namespace kvscope {

struct ImageRow;

/// What values of a metric were computed from: another one is another number.
struct MetricOrigin {
  std::string implementation{};                 ///< Metric::implementation
  std::map<std::string, std::string> inputs{};  ///< by key: of a file its SHA-256, else the value
  bool operator==(const MetricOrigin&) const = default;
};

/// By the metric's name; only of metrics that name an implementation.
using MetricOrigins = std::map<std::string, MetricOrigin>;

/// {"NAME": {"implementation": TEXT, "inputs": {KEY: TEXT}}}, and back. Reading throws
/// Error(kInput) naming `where`.
std::string origins_json(const MetricOrigins& origins);
MetricOrigins origins_from_json(const std::string& text, const std::string& where);

/// Takes out the values of `rows`, which have the origins `stored`, of metrics that `wanted` has
/// with another one.
void forget_other_origins(std::span<ImageRow> rows,
                          const MetricOrigins& stored,
                          const MetricOrigins& wanted);

}  // namespace kvscope
