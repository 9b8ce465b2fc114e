#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/models/image_model.h"
#include "experiments/sweep/earlier_points.h"
#include "experiments/sweep/point.h"
#include "experiments/sweep/point_lease.h"
#include "experiments/sweep/point_outcome.h"
#include "experiments/sweep/run_manifest.h"

namespace kvscope {

/// Runs points one after the other in this process, with the devices and the model it has open.
class PointWorker {
 public:
  /// `root`: where relative paths of model groups start.
  PointWorker(std::string root, std::filesystem::path points_folder, std::string command_line)
      : root_(std::move(root)),
        points_folder_(std::move(points_folder)),
        command_line_(std::move(command_line)) {}

  /// Opens a device before LibTorch does anything else, as GPUs need. Throws as open_device().
  void open_device_of(const Point& point);
  /// Opens a point's model, unless the last point had the same. Throws Error(kInput) for a bad
  /// checkpoint.
  ImageModel& model_of(const Point& point);
  /// The device of a point that open_device_of() or model_of() has opened.
  [[nodiscard]] at::Device device_of(const Point& point) const;
  /// What LibTorch holds for the open model on its device; mapped files are not among it.
  [[nodiscard]] int64_t weights_bytes() const { return weights_bytes_; }
  /// Takes the point's lease, sets aside what of it is damaged, takes over what other points have
  /// of it, writes its config and manifest and makes the images it lacks. Busy where another
  /// program holds the lease; failed after a numeric or audit error, for lack of memory, or where
  /// its own folder cannot be worked in, which its folder keeps (write_failure()). Throws what
  /// concerns more than this point.
  PointOutcome run(const Point& point,
                   const std::function<void(int64_t)>& images_made,
                   const std::function<bool()>& stop_asked);
  /// What result files and manifests keep of where a point is made: manifest_json().
  [[nodiscard]] std::string provenance_of(const Point& point) const;

 private:
  /// Of a point whose GPU is open; empty for other devices.
  [[nodiscard]] std::string gpu_name(const Point& point) const;
  /// While the lease is held: throws what a point fails with.
  PointOutcome run_in(const std::filesystem::path& folder,
                      const PointLease& lease,
                      const Point& point,
                      const std::function<void(int64_t)>& images_made,
                      const std::function<bool()>& stop_asked,
                      std::vector<std::string>& notes);
  /// The same, with a fault of the point's own as its outcome.
  PointOutcome attempt(const std::filesystem::path& folder,
                       const PointLease& lease,
                       const Point& point,
                       const std::function<void(int64_t)>& images_made,
                       const std::function<bool()>& stop_asked,
                       std::vector<std::string>& notes);
  const EarlierPoints& earlier_points();

  std::string root_;
  std::filesystem::path points_folder_;
  std::string command_line_;
  std::map<std::string, at::Device> devices_;
  std::string model_key_;
  std::unique_ptr<ImageModel> model_;
  bool opening_model_ = false;  // what is thrown meanwhile concerns every point of the model
  int64_t weights_bytes_ = 0;
  std::vector<std::filesystem::path> model_files_;
  std::optional<RunManifest> manifest_;   // of the point at work, once its images are being made
  std::optional<EarlierPoints> earlier_;  // of the folder as this worker found it
};

}  // namespace kvscope
