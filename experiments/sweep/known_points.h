#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/sweep/point.h"
#include "experiments/sweep/point_content.h"
#include "experiments/sweep/point_state.h"

namespace kvscope {

/// A point as a results folder knows it.
struct KnownPoint {
  std::string hash{};        ///< 12 digits, as its folder is called
  std::string whole_hash{};  ///< of a finished point; empty: not known
  StoredPoint stored{};
  PointContent content{};
  std::string model{};  ///< canonical JSON of its model group and its device: speeds compare
  std::string title{};  ///< "scalekv, 10 %"
  double image_s = 0;   ///< median seconds of an image, of finished points; 0: not known
};

/// What is to be said of a point before it runs: its state, and why it has it.
struct PointStanding {
  PointState state = PointState::kMissing;
  int64_t images_there = 0;  ///< of those that it asks for
  std::string nearest{};     ///< hash of the known point that differs least, where there is one
  std::vector<ContentDifference> differences{};  ///< from that one
  std::string reason{};                          ///< in words, one line
  double image_s = 0;  ///< median seconds of an image of the nearest finished ones; 0: not known

  /// "done", "part 3/12", "running", "failed", "missing", or "unknown" of a point without a hash.
  std::string state_text{};
};

/// The points of a results folder, read to be compared with. Nothing is written.
class KnownPoints {
 public:
  explicit KnownPoints(const std::filesystem::path& results_folder)
      : points_folder_(results_folder / "points") {}

  /// DIR/points/*, by hash; what cannot be read is left out. Read when first asked for: a sweep
  /// that is done is compared with nothing.
  [[nodiscard]] const std::vector<KnownPoint>& points() const;
  /// Of a point of a command line. What it differs in is told of one that is done too under
  /// `compare_done`.
  [[nodiscard]] PointStanding standing(const Point& point, bool compare_done = false) const;
  /// Of a point that is there, against the others.
  [[nodiscard]] PointStanding standing(const KnownPoint& point) const;

 private:
  void compare(PointStanding& standing,
               const std::string& hash,
               const PointContent& content,
               const std::string& model) const;

  std::filesystem::path points_folder_;
  mutable std::optional<std::vector<KnownPoint>> points_;
};

}  // namespace kvscope
