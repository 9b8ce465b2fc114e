#include "experiments/sweep/point_worker.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/opened_files.h"
#include "core/base/set_aside.h"
#include "core/config/format.h"
#include "core/device/allocation_meter.h"
#include "core/device/device.h"
#include "core/device/device_error.h"
#include "core/device/device_facts.h"
#include "experiments/sweep/digests.h"
#include "experiments/sweep/former_point.h"
#include "experiments/sweep/kept_point.h"
#include "experiments/sweep/point_content.h"
#include "experiments/sweep/point_lease.h"
#include "experiments/sweep/point_state.h"
#include "experiments/sweep/provenance.h"
#include "experiments/sweep/run_point.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

const std::string& device_name(const Point& point) {
  return point.config.at("device").as_string();
}

/// Whether some space is left in a folder: what fails then is a point's own.
bool can_be_written(const fs::path& folder) {
  try {
    AtomicFile probe(folder / ".space");  // gone again without commit()
    probe.write(std::string(size_t{1} << 20, '.'));
    return true;
  } catch (const Error&) {
    return false;
  }
}

constexpr const char* kNoMemory = "out_of_memory";

const char* class_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kConfig:
      return "config";
    case ErrorKind::kInput:
      return "input";
    case ErrorKind::kEnvironment:
      return "environment";
    case ErrorKind::kNumerics:
      return "numerics";
    case ErrorKind::kAudit:
      return "audit";
  }
  return "";
}

PointOutcome failed(const char* failure_class, const std::string& why) {
  return {.state = PointOutcome::State::kFailed, .message = why, .failure_class = failure_class};
}

/// Keeps in a point's folder that it failed, or that it no longer has.
void note_end(const fs::path& folder, const PointOutcome& outcome) {
  if (outcome.state == PointOutcome::State::kDone) {
    clear_failure(folder);
    remove_former(folder);
  }
  if (outcome.state != PointOutcome::State::kFailed) return;
  try {
    write_failure(folder, outcome);
  } catch (const Error&) {
    // Its folder cannot be written, which is most likely why it failed: the outcome says so.
  }
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

std::string PointWorker::provenance_of(const Point& point) const {
  const Provenance provenance{.command_line = command_line_,
                              .device = device_name(point),
                              .gpu = gpu_name(point),
                              .threads = point.launch.threads,
                              .digests = all_digests(point)};
  return manifest_json(provenance, root_);
}

const EarlierPoints& PointWorker::earlier_points() {
  if (!earlier_) earlier_.emplace(points_folder_);
  return *earlier_;
}

PointOutcome PointWorker::run(const Point& point,
                              const std::function<void(int64_t)>& images_made,
                              const std::function<bool()>& stop_asked) {
  const fs::path folder = point_folder(points_folder_, point.hash);
  std::vector<std::string> notes;
  std::optional<PointLease> lease;
  try {
    clear_the_way(folder, notes);
    if (auto taken = PointLease::try_take(folder)) lease.emplace(std::move(*taken));
  } catch (const Error& error) {
    if (!can_be_written(points_folder_)) throw;
    return failed(class_of(error.kind()), error.what());
  }
  PointOutcome outcome;
  if (!lease) {
    const auto holder = PointLease::holder(folder);
    outcome = {.state = PointOutcome::State::kBusy, .message = holder ? holder->text() : ""};
  } else {
    int64_t made = 0;
    manifest_.reset();
    outcome = attempt(
        folder, *lease, point,
        [&](int64_t images) {
          made += images;
          images_made(images);
        },
        stop_asked, notes);
    if (lease->is_held()) note_end(folder, outcome);
    if (lease->is_held() && manifest_) manifest_->finish(std::string(name_of(outcome.state)), made);
  }
  outcome.notes = std::move(notes);
  return outcome;
}

PointOutcome PointWorker::attempt(const fs::path& folder,
                                  const PointLease& lease,
                                  const Point& point,
                                  const std::function<void(int64_t)>& images_made,
                                  const std::function<bool()>& stop_asked,
                                  std::vector<std::string>& notes) {
  opening_model_ = false;
  try {
    return run_in(folder, lease, point, images_made, stop_asked, notes);
  } catch (const OutOfMemory& error) {
    return failed(kNoMemory, error.what());
  } catch (const Error& error) {
    const bool of_files =
        error.kind() == ErrorKind::kInput || error.kind() == ErrorKind::kEnvironment;
    if (opening_model_ || error.kind() == ErrorKind::kConfig) throw;
    if (of_files && !can_be_written(points_folder_)) throw;
    return failed(class_of(error.kind()), error.what());
  } catch (const c10::Error& error) {
    const auto told = device_error(error);
    const auto memory = out_of_memory(error);
    if (told && !memory) throw *told;  // a device that has failed fails every other point
    return memory ? failed(kNoMemory, memory->what())
                  : failed("library", error.what_without_backtrace());
  } catch (const std::bad_alloc& error) {
    return failed(kNoMemory, out_of_memory(error)->what());
  } catch (const std::exception& error) {  // a fault of the program's, at this point
    if (opening_model_) throw;
    return failed("internal", error.what());
  }
}

PointOutcome PointWorker::run_in(const fs::path& folder,
                                 const PointLease& lease,
                                 const Point& point,
                                 const std::function<void(int64_t)>& images_made,
                                 const std::function<bool()>& stop_asked,
                                 std::vector<std::string>& notes) {
  remove_abandoned_parts(folder);
  KeptPoint kept = repaired(point, folder, notes);
  if (kept.is_done) return {};  // by a program that has just left
  // A point that is made again takes nothing over.
  if (kept.asked < point.images() && !has_former(folder)) {
    earlier_points().give(point, folder, kept.rows, notes);
  }
  const std::string manifest = provenance_of(point);
  open_device_of(point);
  manifest_.emplace(folder, manifest, device_of(point), point.images());
  write_file_atomically(folder / "config.yaml", to_yaml(point.config));
  const PointInfo info = point.info(manifest, 0);
  const auto asked = std::ranges::count_if(
      kept.rows, [&](const ImageRow& row) { return info.asks_for(row.image_index); });
  if (asked == point.images()) {  // fewer or other ones than last time: nothing is to be made
    const auto token_bytes = std::ssize(kept.rows.front().packed_tokens);
    ResultWriter(folder / "result.h5", point.info(manifest, token_bytes), std::move(kept.rows))
        .finish();
    return {};
  }
  opening_model_ = true;
  ImageModel& model = model_of(point);
  opening_model_ = false;
  require_digested(model_files_, point.digested_files);
  const PointRun run{.model = model,
                     .device = device_of(point),
                     .points_folder = points_folder_,
                     .manifest_json = manifest,
                     .kept = std::move(kept.rows),
                     .images_made = images_made,
                     .stop_asked = stop_asked,
                     .may_write = [&] { return lease.is_held(); },
                     .say = [&](const std::string& text) { notes.push_back(text); }};
  if (run_point(point, run)) {
    if (look_through(point, folder).is_done) return {};
    return failed("input",
                  fmt::format("what was written to {} cannot be read back", folder.string()));
  }
  if (!lease.is_held()) return {.state = PointOutcome::State::kBusy, .message = "taken over"};
  return {.state = PointOutcome::State::kInterrupted};
}

}  // namespace kvscope
