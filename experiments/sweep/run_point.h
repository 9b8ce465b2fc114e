#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/models/image_model.h"
#include "experiments/sweep/point.h"

namespace kvscope {

/// What running a point needs beside the point.
struct PointRun {
  ImageModel& model;
  at::Device device;
  std::filesystem::path points_folder{};  ///< DIR/points
  std::string manifest_json{};
  std::vector<ImageRow> kept{};              ///< rows that are there and whose images are
  std::function<void(int64_t)> images_made;  ///< called with their number as they are kept
  std::function<bool()> stop_asked;          ///< asked before every batch
  std::function<bool()> may_write;  ///< asked before a batch is kept; where not, none of it is
  std::function<void(const std::string&)> say;  ///< hears what the user should know
};

/// DIR/points/<12 digits>.
std::filesystem::path point_folder(const std::filesystem::path& points_folder,
                                   const std::string& hash);

/// Makes the images that are not kept, a batch at a time: generate through a cache of the planned
/// size, audit it, measure, write image, then row. Under gen.batch=auto a batch that memory does
/// not suffice for is halved. Returns false where it was asked to stop before the last image.
/// Throws Error(kAudit) where the tokens kept, their bytes, the arena, or the peak by more than 2 %
/// are not as planned, OutOfMemory, and what the model and the result file throw.
bool run_point(const Point& point, const PointRun& run);

}  // namespace kvscope
