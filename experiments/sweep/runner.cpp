#include "experiments/sweep/runner.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/config/format.h"
#include "core/device/device.h"
#include "experiments/sweep/digests.h"
#include "experiments/sweep/folder_lock.h"
#include "experiments/sweep/provenance.h"
#include "experiments/sweep/run_point.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

std::string point_name(const Point& point) {
  std::string name;
  for (const auto& [key, text] : point.labels) {
    if (key == "policy" || key == "budget") name += (name.empty() ? "" : ", ") + text;
  }
  return fmt::format("{} ({})", name, point.hash.substr(0, 12));
}

const std::string& device_of(const Point& point) {
  return point.config.at("device").as_string();
}

/// The model of the last point; points are grouped by model, so each is opened once.
class OpenModel {
 public:
  ImageModel& of(const Point& point, const std::string& root, at::Device device) {
    const ConfigNode& group = point.config.at("model");
    const std::string key = canonical_json(group) + device_of(point);
    if (!model_ || key != key_) {
      model_.reset();
      model_ = open_model(group, root, device);
      key_ = key;
    }
    return *model_;
  }

 private:
  std::string key_;
  std::unique_ptr<ImageModel> model_;
};

class SweepRunner {
 public:
  explicit SweepRunner(const Sweep& sweep)
      : sweep_(sweep), points_(sweep.list.points), points_folder_(sweep.folder / "points") {}

  SweepOutcome run() {
    // GPUs have to be opened before LibTorch does anything else.
    for (const Point& point : points_) {
      const std::string& name = device_of(point);
      if (!devices_.contains(name)) devices_.emplace(name, open_device(name));
    }
    // The first model too: a damaged checkpoint is to leave nothing behind.
    OpenModel model;
    const auto first = std::ranges::find_if(points_, [&](const Point& point) {
      return !point_finished(point_folder(points_folder_, point.hash));
    });
    if (first != points_.end()) model.of(*first, sweep_.root, devices_.at(device_of(*first)));

    const FolderLock lock(sweep_.folder);
    std::vector<const Point*> open_points;
    int64_t images = 0;
    for (const Point& point : points_) {
      const int64_t there = images_there(point, points_folder_);
      if (point_finished(point_folder(points_folder_, point.hash))) {
        ++outcome_.points_done;
        continue;
      }
      images += point.images() - there;
      open_points.push_back(&point);
    }
    if (open_points.empty()) return outcome_;
    write_manifest(sweep_.folder, points_.front());
    warn_about_references();

    Progress progress(static_cast<int64_t>(open_points.size()), images, sweep_.terminal);
    if (outcome_.points_done > 0) {
      progress.note(
          fmt::format("{} of {} points are done already", outcome_.points_done, points_.size()));
    }
    const InterruptGuard interrupt;
    for (const Point* point : open_points) {
      progress.begin_point(point_name(*point), point->images(),
                           images_there(*point, points_folder_));
      run_one(*point, model, progress, interrupt);
      if (outcome_.interrupted) break;
    }
    outcome_.images_made = progress.images_made();
    return outcome_;
  }

 private:
  std::string write_manifest(const fs::path& folder, const Point& point) {
    const Provenance provenance{
        .command_line = sweep_.command_line,
        .device = device_of(point),
        .digests = model_digests(point.config.at("model"), sweep_.root, files_)};
    const std::string text = manifest_json(provenance, sweep_.root);
    write_file_atomically(folder / "manifest.json", text);
    return text;
  }

  /// PSNR and SSIM compare with the full cache; say so where there is none to compare with.
  void warn_about_references() const {
    const auto will_be_there = [&](const std::string& hash) {
      return point_finished(point_folder(points_folder_, hash)) ||
             std::ranges::any_of(points_, [&](const Point& point) { return point.hash == hash; });
    };
    for (const Point& point : points_) {
      const auto metrics = point.config.at("metrics.list").as_string_list();
      const bool compares = std::ranges::any_of(
          metrics, [](const std::string& name) { return name == "psnr" || name == "ssim"; });
      if (!compares || will_be_there(point.reference_hash)) continue;
      fmt::print(stderr,
                 "warning: no full-cache point of the same model, prompts and seed in {}: PSNR and "
                 "SSIM stay empty; add full to the policies of this sweep (policy=full,...)\n",
                 sweep_.folder.string());
      return;
    }
  }

  void run_one(const Point& point,
               OpenModel& model,
               Progress& progress,
               const InterruptGuard& interrupt) {
    if (const ConfigNode* threads = point.config.find("threads"); threads && !threads->is_null()) {
      at::set_num_threads(static_cast<int>(threads->as_int64()));
    }
    const fs::path folder = point_folder(points_folder_, point.hash);
    std::string failure;
    try {
      const at::Device device = devices_.at(device_of(point));
      ImageModel& opened = model.of(point, sweep_.root, device);
      const std::string manifest = write_manifest(folder, point);
      write_file_atomically(folder / "config.yaml", to_yaml(point.config));
      const PointRun run{.model = opened,
                         .device = device,
                         .points_folder = points_folder_,
                         .manifest_json = manifest,
                         .progress = progress,
                         .interrupt = interrupt};
      if (!run_point(point, run)) {
        outcome_.interrupted = true;
        return;
      }
    } catch (const Error& error) {
      const bool of_this_point =
          error.kind() == ErrorKind::kNumerics || error.kind() == ErrorKind::kAudit;
      if (!of_this_point) throw;
      failure = error.what();
    } catch (const c10::Error& error) {
      failure = error.what_without_backtrace();
    }
    if (failure.empty()) {
      ++outcome_.points_done;
      progress.end_point("done");
    } else {
      outcome_.failures.push_back(point_name(point) + ": " + failure);
      progress.end_point("failed: " + failure);
    }
  }

  const Sweep& sweep_;
  const std::vector<Point>& points_;
  fs::path points_folder_;
  std::map<std::string, at::Device> devices_;
  FileDigests files_;
  SweepOutcome outcome_;
};

}  // namespace

SweepOutcome run_sweep(const Sweep& sweep) {
  return SweepRunner(sweep).run();
}

}  // namespace kvscope
