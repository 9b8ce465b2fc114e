#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "experiments/results/result_file.h"
#include "experiments/sweep/point.h"

namespace kvscope {

/// What other points of a results folder have made that a point needs too: the same point as an
/// earlier version called it, or with equal numbers in another spelling, and points that differ
/// from it in their lists of prompts only.
class EarlierPoints {
 public:
  /// Looks at what is there now.
  explicit EarlierPoints(const std::filesystem::path& points_folder);

  /// Adds to `rows` those that `point` asks for and that another point's folder has with a whole
  /// image, which becomes the point's too. `notes` gets a line of each folder that gave some.
  /// Throws Error(kEnvironment) where `folder`, the point's, cannot be written.
  void give(const Point& point,
            const std::filesystem::path& folder,
            std::vector<ImageRow>& rows,
            std::vector<std::string>& notes) const;

 private:
  struct Earlier {
    std::filesystem::path folder{};
    std::filesystem::path file{};
    std::string hash{};
    std::string setting_hash{};  // empty of files of before version 3
    ConfigNode config{};
    std::string asking{};  // what of it was part of its hash and is no more
  };

  std::vector<Earlier> earlier_;
};

}  // namespace kvscope
