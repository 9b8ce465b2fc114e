#pragma once

#include <filesystem>
#include <string>

#include "core/hdf5/dataset.h"
#include "core/hdf5/file.h"
#include "experiments/training/train_tokenizer.h"

namespace kvscope {

/// The loss of a training, one row a report, in HDF5 (step, loss, pictures_per_second,
/// gradient_norm). Reopened by a resumed training; rows past the step it resumes from stay, the
/// newest row of a step counts.
class LossCurve {
 public:
  explicit LossCurve(const std::filesystem::path& path);
  void append(const TrainingProgress& progress);
  /// Draws the curve beside the file, as SVG and PNG.
  void draw(const std::string& title) const;

 private:
  std::filesystem::path path_;
  hdf5::File file_;
  hdf5::Dataset step_, loss_, rate_, norm_;
};

}  // namespace kvscope
