#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "analysis/metrics/metric.h"

namespace kvscope {

/// What metrics are given besides images, by the keys of their MetricInput, and where they compute.
/// Copies share what was made of the files, so that metrics of one network load it once. Not for
/// several threads.
class MetricInputs {
 public:
  explicit MetricInputs(c10::Device device = c10::kCPU) : device_(device) {}

  void set(std::string key, std::string value) { values_[std::move(key)] = std::move(value); }
  [[nodiscard]] std::optional<std::string> find(std::string_view key) const;
  /// Throws Error(kConfig) where `key` is not given.
  [[nodiscard]] std::filesystem::path file(std::string_view key) const;
  /// Throws Error(kConfig) for what is no positive integer.
  [[nodiscard]] std::optional<int64_t> integer(std::string_view key) const;
  [[nodiscard]] c10::Device device() const { return device_; }
  void set_device(c10::Device device) { device_ = device; }

  /// The object of that name, made by `make` when it is first asked for. One name is of one type.
  template <class T>
  std::shared_ptr<T> shared(const std::string& name, const std::function<T()>& make) const {
    std::shared_ptr<void>& held = (*objects_)[name];
    if (held == nullptr) held = std::make_shared<T>(make());
    return std::static_pointer_cast<T>(held);
  }

 private:
  c10::Device device_;
  std::map<std::string, std::string, std::less<>> values_;
  std::shared_ptr<std::map<std::string, std::shared_ptr<void>>> objects_ =
      std::make_shared<std::map<std::string, std::shared_ptr<void>>>();
};

/// Throws Error(kConfig) naming a file that `metric` needs and is not given, and where it comes
/// from; Error(kInput) for one that is given and not there.
void require_inputs(const Metric& metric, const MetricInputs& inputs);

/// "weights.a=FILE" is what `metric` computes from: (key, value) of its inputs that are given.
std::map<std::string, std::string> given_inputs(const Metric& metric, const MetricInputs& inputs);

}  // namespace kvscope
