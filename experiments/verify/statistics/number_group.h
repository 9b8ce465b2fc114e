#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "experiments/verify/verify.h"

namespace kvscope::verify {

/// Collects recomputed numbers of one group into its verdict. A difference is relative: to the
/// recorded number, or to a scale below which digits mean nothing.
class NumberGroup {
 public:
  explicit NumberGroup(std::string group) : group_(std::move(group)) {}

  struct Scale {
    double least = 1e-15;  ///< what differences from smaller numbers are relative to
    double tolerance = 1e-9;
  };
  /// NaN agrees with NaN alone, infinities with themselves.
  void compare(double computed, double recorded, const std::string& name, const Scale& scale);
  void compare(double computed, double recorded, const std::string& name) {
    compare(computed, recorded, name, Scale());
  }

  [[nodiscard]] bool empty() const { return values_ == 0; }
  [[nodiscard]] GroupResult result() const;

 private:
  std::string group_;
  int64_t values_ = 0;
  int64_t beyond_ = 0;
  double largest_ = 0;     // as a share of what is tolerated
  double difference_ = 0;  // the one of `largest_`
  double tolerance_ = Scale().tolerance;
  std::string worst_;
};

/// The number of a JSON value: itself, or {"__float__": "nan" | "inf" | "-inf"}. Throws
/// std::invalid_argument for anything else.
double number_of(const nlohmann::json& value);

}  // namespace kvscope::verify
