#include "experiments/commands/device/device_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "core/base/console.h"
#include "core/base/error.h"
#include "core/base/mebibytes.h"
#include "core/device/device_error.h"
#include "core/device/work_profile.h"
#include "experiments/sweep/generation_session.h"
#include "experiments/sweep/point_worker.h"
#include "experiments/sweep/prompt_check.h"

namespace kvscope {
namespace {

using nlohmann::ordered_json;

/// What one point's batch took.
struct Timing {
  MadeBatch batch{};
  int64_t weights_bytes = 0;
  std::vector<double> computed_step_ms{};  ///< of the steps that are computed, in their order
  std::vector<StepWork> work{};            ///< [steps], where asked for

  [[nodiscard]] double median_step_ms() const {
    // The prefill of a next-token model is another kind of step than its tokens.
    std::vector<double> times(computed_step_ms.begin() + (computed_step_ms.size() > 1 ? 1 : 0),
                              computed_step_ms.end());
    std::ranges::sort(times);
    return times.empty() ? 0 : times[times.size() / 2];
  }
  [[nodiscard]] double steps_ms() const {
    return std::accumulate(computed_step_ms.begin(), computed_step_ms.end(), 0.0);
  }
  [[nodiscard]] double total_ms() const {
    return steps_ms() + batch.generated.text_ms + batch.generated.decode_ms;
  }
};

/// The step whose time is told apart: one token in the middle, or the largest scale.
size_t told_step(const Point& point, size_t steps) {
  const bool is_scale = point.facts.cache.steps.back().kind == StepKind::kScale;
  return is_scale ? steps - 1 : steps / 2;
}

Timing timed(const Point& point, PointWorker& worker, bool with_work) {
  Timing timing;
  ImageModel& model = worker.model_of(point);
  const at::Device device = worker.device_of(point);
  timing.weights_bytes = worker.weights_bytes();
  std::vector<uint64_t> images(static_cast<size_t>(point.generation.batch));
  std::iota(images.begin(), images.end(), uint64_t{0});
  GenerationSession session(point, model, device);
  timing.batch = session.make(images);
  std::ranges::copy_if(timing.batch.generated.times.step_ms,
                       std::back_inserter(timing.computed_step_ms),
                       [](double ms) { return ms > 0; });  // a last token is fed to nobody
  if (with_work) {
    const WorkProfile profile(device);
    session.make(images);
    timing.work = profile.steps();
  }
  return timing;
}

std::string key_of(std::string_view kind) {
  return fmt::format("{}_ms", kind);
}

ordered_json json_of(const StepWork& work) {
  ordered_json object{{"wall_ms", work.wall_ms}};
  for (size_t i = 0; i < kWorkKindNames.size(); ++i) {
    object[key_of(kWorkKindNames[i])] = work.kind_ms[i];
  }
  object["waiting_ms"] = work.waiting_ms();
  return object;
}

StepWork sum_of(const std::vector<StepWork>& steps) {
  StepWork sum;
  for (const StepWork& step : steps) sum += step;
  return sum;
}

ordered_json json_of(const Point& point, const Timing& timing) {
  const GeneratedBatch& made = timing.batch.generated;
  const BatchMemory& memory = timing.batch.memory;
  const auto& peak = memory.device_peak_bytes;
  ordered_json line{
      {"point", point.title()},
      {"model", point.label("model")},
      {"policy", point.label("policy")},
      {"budget", point.label("budget")},
      {"batch", point.generation.batch},
      {"steps", timing.computed_step_ms.size()},
      {"median_step_ms", timing.median_step_ms()},
      {"first_step_ms", timing.computed_step_ms.front()},
      {"last_step_ms", timing.computed_step_ms.back()},
      {"steps_ms", timing.steps_ms()},
      {"attention_ms", made.times.attention_ms},
      {"policy_ms", made.times.policy_ms},
      {"text_ms", made.text_ms},
      {"decode_ms", made.decode_ms},
      {"total_ms", timing.total_ms()},
      {"images_per_s", 1000.0 * static_cast<double>(point.generation.batch) / timing.total_ms()},
      {"kv_live_bytes", memory.kv_live_bytes},
      {"kv_peak_bytes", memory.kv_peak_bytes},
      {"kv_peak_planned_bytes", memory.kv_peak_planned_bytes},
      {"weights_bytes", timing.weights_bytes},
      {"device_peak_bytes", peak ? ordered_json(*peak) : ordered_json()}};
  if (!timing.work.empty()) {
    const size_t told = told_step(point, timing.work.size());
    line["work"] = json_of(timing.work[told]);
    line["work"]["step"] = told;
    line["work_all_steps"] = json_of(sum_of(timing.work));
  }
  return line;
}

void print_work(const std::string& what, const StepWork& work) {
  fmt::print("  {:<20}  {:.2f} ms:", what, work.wall_ms);
  for (size_t i = 0; i < kWorkKindNames.size(); ++i) {
    fmt::print(" {} {:.2f},", kWorkKindNames[i], work.kind_ms[i]);
  }
  fmt::print(" waiting {:.2f}\n", work.waiting_ms());
}

void print_text(const Point& point, const Timing& timing) {
  const GeneratedBatch& made = timing.batch.generated;
  const BatchMemory& memory = timing.batch.memory;
  fmt::print("{}, {} image{} at once\n", point.title(), point.generation.batch,
             point.generation.batch == 1 ? "" : "s");
  fmt::print("  {:<20}  {} in {:.1f} ms: first {:.2f}, median {:.2f}, last {:.2f} ms\n", "steps",
             timing.computed_step_ms.size(), timing.steps_ms(), timing.computed_step_ms.front(),
             timing.median_step_ms(), timing.computed_step_ms.back());
  fmt::print("  {:<20}  attention {:.1f} ms, policy {:.1f} ms\n", "in them",
             made.times.attention_ms, made.times.policy_ms);
  fmt::print("  {:<20}  text {:.1f} ms, decoding to pixels {:.1f} ms\n", "beside them",
             made.text_ms, made.decode_ms);
  fmt::print("  {:<20}  {:.2f} MiB live, {:.2f} MiB at the peak, {:.2f} MiB planned\n", "KV cache",
             mebibytes(memory.kv_live_bytes), mebibytes(memory.kv_peak_bytes),
             mebibytes(memory.kv_peak_planned_bytes));
  fmt::print("  {:<20}  {:.2f} MiB\n", "weights", mebibytes(timing.weights_bytes));
  if (memory.device_peak_bytes) {
    fmt::print("  {:<20}  {:.2f} MiB at the peak\n", "device",
               mebibytes(*memory.device_peak_bytes));
  }
  if (timing.work.empty()) return;
  const size_t told = told_step(point, timing.work.size());
  print_work(fmt::format("step {}", told), timing.work[told]);
  print_work("all steps", sum_of(timing.work));
}

void print_failure(const Point& point, const std::string& why, bool json) {
  if (json) {
    const ordered_json line{{"point", point.title()}, {"error", why}};
    fmt::print("{}\n", line.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  } else {
    std::fflush(stdout);
    say("error: {}: {}", point.title(), why);
  }
}

void check_images(const PointList& list) {
  for (const Point& point : list.points) {
    if (point.images() >= point.generation.batch) continue;
    throw Error(
        ErrorKind::kConfig,
        fmt::format("device time makes gen.batch={} images of {}, and there are {}; "
                    "gen.images={} gives enough",
                    point.generation.batch, point.title(), point.images(), point.generation.batch));
  }
}

}  // namespace

int device_time_command(const ConfigArguments& arguments, const DeviceTimeOptions& options) {
  const std::string root = data_root().string();
  PointList list = list_points(compose_request(arguments), root, PointIdentity::kNone,
                               component_registry(arguments));
  check_prompts(list.points, root);
  check_images(list);
  PointWorker worker(root, {}, "");
  for (const Point& point : list.points) worker.open_device_of(point);
  int exit_code = 0;
  for (const Point& point : list.points) {
    std::optional<Error> failure;
    try {
      const Timing timing = timed(point, worker, options.work);
      if (options.json) {
        fmt::print("{}\n", json_of(point, timing).dump());
      } else {
        print_text(point, timing);
      }
    } catch (const c10::Error& error) {
      failure = device_error(error);
      if (!failure) throw;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kConfig || error.kind() == ErrorKind::kInput) throw;
      failure = error;
    }
    if (failure) {
      print_failure(point, failure->what(), options.json);
      exit_code = failure->exit_code();
    }
    std::fflush(stdout);
  }
  return exit_code;
}

}  // namespace kvscope
