#include "analysis/metrics/metric_inputs.h"

#include <fmt/format.h>

#include <charconv>

#include "core/base/error.h"

namespace kvscope {

std::optional<std::string> MetricInputs::find(std::string_view key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

std::filesystem::path MetricInputs::file(std::string_view key) const {
  const std::optional<std::string> value = find(key);
  if (!value) throw Error(ErrorKind::kConfig, fmt::format("metrics.{} is not given", key));
  return *value;
}

std::optional<int64_t> MetricInputs::integer(std::string_view key) const {
  const std::optional<std::string> value = find(key);
  if (!value) return std::nullopt;
  int64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, failure] = std::from_chars(value->data(), end, number);
  if (failure != std::errc() || stop != end || number < 1) {
    throw Error(ErrorKind::kConfig,
                fmt::format("metrics.{}={}: expected an integer, at least 1", key, *value));
  }
  return number;
}

void require_inputs(const Metric& metric, const MetricInputs& inputs) {
  std::error_code unknown;
  for (const MetricInput& input : metric.inputs) {
    if (input.kind != MetricInput::Kind::kFile) continue;
    const std::optional<std::string> value = inputs.find(input.key);
    if (value && !std::filesystem::exists(*value, unknown)) {
      throw Error(ErrorKind::kInput, fmt::format("metrics.{}={}: no such file or folder. It is {}",
                                                 input.key, *value, input.source));
    }
    if (!value && input.needed) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("metric {} needs a file: metrics.{}=PATH, or {} in the folder "
                              "metrics.weights.folder. It is {}",
                              metric.name, input.key, input.file_name, input.source));
    }
  }
}

std::map<std::string, std::string> given_inputs(const Metric& metric, const MetricInputs& inputs) {
  std::map<std::string, std::string> given;
  for (const MetricInput& input : metric.inputs) {
    if (auto value = inputs.find(input.key)) given.emplace(input.key, *std::move(value));
  }
  return given;
}

}  // namespace kvscope
