#include "experiments/sweep/point_worker.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include <optional>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/opened_files.h"
#include "core/config/format.h"
#include "core/device/allocation_meter.h"
#include "core/device/device.h"
#include "core/device/device_error.h"
#include "core/device/device_facts.h"
#include "experiments/sweep/point_lease.h"
#include "experiments/sweep/provenance.h"
#include "experiments/sweep/run_point.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

const std::string& device_name(const Point& point) {
  return point.config.at("device").as_string();
}

}  // namespace

void PointWorker::open_device_of(const Point& point) {
  const std::string& name = device_name(point);
  if (!devices_.contains(name)) devices_.emplace(name, open_device(name));
}

ImageModel& PointWorker::model_of(const Point& point) {
  open_device_of(point);
  const ConfigNode& group = point.config.at("model");
  const std::string key = canonical_json(group) + device_name(point);
  if (!model_ || key != model_key_) {
    model_.reset();
    const OpenedFiles opened;
    const AllocationMeter meter(device_of(point));
    model_ = open_model(group, root_, device_of(point));
    weights_bytes_ = meter.live_bytes();
    model_files_ = opened.files();
    model_key_ = key;
  }
  return *model_;
}

at::Device PointWorker::device_of(const Point& point) const {
  return devices_.at(device_name(point));
}

std::string PointWorker::gpu_name(const Point& point) const {
  const auto device = devices_.find(device_name(point));
  if (device == devices_.end() || device->second.is_cpu()) return "";
  return device_facts(device->second).name;
}

std::string PointWorker::write_manifest(const fs::path& folder, const Point& point) {
  const Provenance provenance{.command_line = command_line_,
                              .device = device_name(point),
                              .gpu = gpu_name(point),
                              .digests = model_digests(point.config.at("model"), root_, files_)};
  const std::string text = manifest_json(provenance, root_);
  write_file_atomically(folder / "manifest.json", text);
  return text;
}

PointOutcome PointWorker::run(const Point& point,
                              const std::function<void(int64_t)>& images_made,
                              const std::function<bool()>& stop_asked) {
  if (point.launch.threads) at::set_num_threads(static_cast<int>(*point.launch.threads));
  const fs::path folder = point_folder(points_folder_, point.hash);
  const std::optional<PointLease> lease = PointLease::try_take(folder);
  if (!lease) {
    const auto holder = PointLease::holder(folder);
    return {.state = PointOutcome::State::kBusy, .message = holder ? holder->text() : ""};
  }
  remove_abandoned_parts(folder);
  if (point_finished(folder)) return {};  // by a program that has just left
  const auto failed = [](const std::string& why) {
    return PointOutcome{.state = PointOutcome::State::kFailed, .message = why};
  };
  try {
    ImageModel& model = model_of(point);
    const std::string manifest = write_manifest(folder, point);
    files_.require_all(model_files_);
    write_file_atomically(folder / "config.yaml", to_yaml(point.config));
    const PointRun run{.model = model,
                       .device = device_of(point),
                       .points_folder = points_folder_,
                       .manifest_json = manifest,
                       .images_made = images_made,
                       .stop_asked = stop_asked,
                       .may_write = [&] { return lease->is_held(); }};
    if (run_point(point, run)) return {};
    if (!lease->is_held()) return {.state = PointOutcome::State::kBusy, .message = "taken over"};
    return {.state = PointOutcome::State::kInterrupted};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNumerics && error.kind() != ErrorKind::kAudit) throw;
    return failed(error.what());
  } catch (const c10::Error& error) {
    const auto told = device_error(error);
    const bool is_memory = dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr;
    if (told && !is_memory) throw *told;  // a device that has failed fails every other point
    if (told) return failed(told->what());
    return failed(error.what_without_backtrace());
  }
}

}  // namespace kvscope
