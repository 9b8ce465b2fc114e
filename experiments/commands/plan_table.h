#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiments/sweep/known_points.h"
#include "experiments/sweep/point.h"

namespace kvscope {

/// The numbers of the points of a sweep, taken from their plans as they are made, so that the plans
/// need not be kept.
class PlanSurvey {
 public:
  explicit PlanSurvey(std::optional<double> limit_bytes) : limit_bytes_(limit_bytes) {}

  /// Takes a point's numbers; see PointVisitor.
  void add(const Point& point);
  /// The table of a list whose points have all been heard, with what `folder` has of them.
  [[nodiscard]] std::string text(const PointList& list, const std::filesystem::path& folder) const;
  /// The same with raw numbers.
  [[nodiscard]] nlohmann::ordered_json json(const PointList& list,
                                            const std::filesystem::path& folder) const;
  [[nodiscard]] bool all_fit(const PointList& list) const;

 private:
  struct Numbers {
    double kept_tokens = 0;
    double full_tokens = 0;
    int64_t kv_bytes = 0;  ///< gen.batch images, into the last step
    int64_t arena_bytes = 0;
    int64_t total_bytes = 0;  ///< with weights and activations
    bool fits = true;
    std::string fit{};
  };
  /// "2 of 4 do not fit 24 GiB"; empty where no limit was named.
  [[nodiscard]] std::string fit_line(const PointList& list) const;
  [[nodiscard]] const Numbers& of(const Point& point) const;

  std::optional<double> limit_bytes_;
  std::map<std::vector<std::string>, Numbers> numbers_;  // by overrides, which make the point
};

/// Takes from a point what only its plan's numbers are made of.
void drop_plan(Point& point);

}  // namespace kvscope
