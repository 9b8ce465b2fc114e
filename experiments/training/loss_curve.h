#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "experiments/training/training_loop.h"

namespace kvscope {

/// The loss of a training, one row a report, in HDF5 (step, loss, images_per_second,
/// gradient_norm). The file is small and replaced whole with every row, so a kill at any moment
/// leaves the last one or the one before. A resumed training repeats the steps after its last save:
/// the newest row of a step counts.
class LossCurve {
 public:
  /// Goes on with the curve at `path` if there is one.
  explicit LossCurve(std::filesystem::path path);
  void append(const TrainingProgress& progress);
  /// Draws the curve beside the file, as SVG and PNG.
  void draw(const std::string& title) const;

 private:
  void write() const;

  std::filesystem::path path_;
  std::map<int64_t, TrainingProgress> rows_;  // by step
};

}  // namespace kvscope
