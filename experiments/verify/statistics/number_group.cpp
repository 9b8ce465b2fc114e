#include "experiments/verify/statistics/number_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace kvscope::verify {

void NumberGroup::compare(double computed,
                          double recorded,
                          const std::string& name,
                          const Scale& scale) {
  ++values_;
  const bool same = computed == recorded || (std::isnan(computed) && std::isnan(recorded));
  double difference =
      same ? 0.0 : std::abs(computed - recorded) / std::max(std::abs(recorded), scale.least);
  if (std::isnan(difference)) difference = std::numeric_limits<double>::infinity();
  if (difference > scale.tolerance) ++beyond_;
  const double share = difference / scale.tolerance;
  if (share <= largest_) return;
  largest_ = share;
  difference_ = difference;
  tolerance_ = scale.tolerance;
  worst_ = fmt::format("{}: {} recorded, {} computed", name, recorded, computed);
}

GroupResult NumberGroup::result() const {
  GroupResult result{.group = group_,
                     .largest_difference = difference_,
                     .tolerance = tolerance_,
                     .ok = beyond_ == 0,
                     .note = fmt::format("{} numbers, relative", values_)};
  if (beyond_ > 0) result.note += fmt::format(", {} differ, most {}", beyond_, worst_);
  return result;
}

double number_of(const nlohmann::json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_object() && value.size() == 1 && value.contains("__float__")) {
    const nlohmann::json& name = value["__float__"];
    if (name == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (name == "inf") return std::numeric_limits<double>::infinity();
    if (name == "-inf") return -std::numeric_limits<double>::infinity();
  }
  throw std::invalid_argument("no number");
}

}  // namespace kvscope::verify
