#include "experiments/commands/device/device_agree.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/device/device.h"
#include "core/device/device_error.h"
#include "core/models/token_agreement.h"
#include "experiments/sweep/generation_session.h"
#include "experiments/sweep/point_worker.h"
#include "experiments/sweep/prompt_check.h"

namespace kvscope {
namespace {

using nlohmann::ordered_json;

/// All images of a point, made on one device.
struct Made {
  std::vector<std::vector<uint8_t>> tokens{};  ///< [images] packed
  std::vector<int64_t> kept{};                 ///< of every batch, layer, row and head
  BatchMemory memory{};                        ///< of the first batch
  int64_t weights_bytes = 0;
  double seconds = 0;
};

Made made_by(PointWorker& worker, const Point& point) {
  Made made;
  ImageModel& model = worker.model_of(point);
  made.weights_bytes = worker.weights_bytes();
  GenerationSession session(point, model, worker.device_of(point));
  const auto start = std::chrono::steady_clock::now();
  for (int64_t first = 0; first < point.images(); first += point.generation.batch) {
    std::vector<uint64_t> images(
        static_cast<size_t>(std::min(point.generation.batch, point.images() - first)));
    std::iota(images.begin(), images.end(), static_cast<uint64_t>(first));
    const MadeBatch batch = session.make(images);
    if (first == 0) made.memory = batch.memory;
    made.tokens.insert(made.tokens.end(), batch.generated.tokens.begin(),
                       batch.generated.tokens.end());
    const KvCache& cache = session.cache();
    for (int64_t layer = 0; layer < cache.plan().geometry().layers; ++layer) {
      for (int64_t row = 0; row < cache.rows(); ++row) {
        for (int64_t head = 0; head < cache.plan().geometry().heads; ++head) {
          made.kept.push_back(cache.length(layer, row, head));
        }
      }
    }
  }
  made.seconds = milliseconds_since(start) / 1000;
  return made;
}

/// How two makings of the same images differ.
struct Agreement {
  int64_t images = 0;
  int64_t images_equal = 0;
  double tokens_equal_share = 0;
  std::optional<int64_t> first_difference_step{};
  bool kept_equal = false;
  std::string reason{};  ///< why they do not agree; empty: they do
};

Agreement agreement_of(const Point& point, const Made& reference, const Made& made) {
  Agreement agreement{.images = std::ssize(reference.tokens)};
  int64_t values = 0;
  int64_t differing = 0;
  for (size_t image = 0; image < reference.tokens.size(); ++image) {
    const int64_t before = differing;
    const std::vector<StepAgreement> steps =
        token_agreement(point.facts.cache, reference.tokens[image], made.tokens[image]);
    for (int64_t step = 0; step < std::ssize(steps); ++step) {
      const StepAgreement& sampled = steps[static_cast<size_t>(step)];
      values += sampled.values;
      differing += sampled.differing;
      std::optional<int64_t>& first = agreement.first_difference_step;
      if (sampled.differing > 0 && (!first || step < *first)) first = step;
    }
    agreement.images_equal += differing == before ? 1 : 0;
  }
  agreement.tokens_equal_share = 1.0 - static_cast<double>(differing) / static_cast<double>(values);
  agreement.kept_equal = reference.kept == made.kept;
  if (!agreement.kept_equal) agreement.reason = "other numbers of tokens are kept";
  if (2 * agreement.images_equal < agreement.images) {
    agreement.reason = fmt::format("{} of {} images have other tokens, first in step {}",
                                   agreement.images - agreement.images_equal, agreement.images,
                                   *agreement.first_difference_step);
  }
  return agreement;
}

void print_json(const Point& point,
                const Agreement& agreement,
                const Made& reference,
                const Made& made) {
  const BatchMemory& memory = made.memory;
  const auto& step = agreement.first_difference_step;
  const auto& peak = memory.device_peak_bytes;
  const ordered_json line{
      {"point", point.title()},
      {"images", agreement.images},
      {"images_equal", agreement.images_equal},
      {"tokens_equal_share", agreement.tokens_equal_share},
      {"first_difference_step", step ? ordered_json(*step) : ordered_json()},
      {"kept_equal", agreement.kept_equal},
      {"kv_live_bytes", memory.kv_live_bytes},
      {"kv_live_planned_bytes", memory.kv_live_planned_bytes},
      {"kv_peak_bytes", memory.kv_peak_bytes},
      {"kv_peak_planned_bytes", memory.kv_peak_planned_bytes},
      {"arena_bytes", memory.arena_bytes},
      {"arena_planned_bytes", memory.arena_planned_bytes},
      {"weights_bytes", made.weights_bytes},
      {"device_peak_bytes", peak ? ordered_json(*peak) : ordered_json()},
      {"seconds_reference", reference.seconds},
      {"seconds", made.seconds},
      {"ok", agreement.reason.empty()},
      {"reason", agreement.reason.empty() ? ordered_json() : ordered_json(agreement.reason)}};
  fmt::print("{}\n", line.dump());
}

void print_failure(const Point& point, const std::string& why, bool json) {
  if (json) {
    fmt::print("{}\n", ordered_json{{"point", point.title()}, {"ok", false}, {"reason", why}}.dump(
                           -1, ' ', false, ordered_json::error_handler_t::replace));
  } else {
    fmt::print("{}: FAILED: {}\n", point.title(), why);
  }
}

void print_text(const Point& point,
                const Agreement& agreement,
                const Made& reference,
                const Made& made) {
  fmt::print("{}: {}\n", point.title(),
             agreement.reason.empty() ? "agrees" : "FAILED: " + agreement.reason);
  fmt::print("  {} of {} images equal, {:.4f} % of the sampled values{}\n", agreement.images_equal,
             agreement.images, 100 * agreement.tokens_equal_share,
             agreement.first_difference_step
                 ? fmt::format(", first difference in step {}", *agreement.first_difference_step)
                 : "");
  fmt::print("  KV bytes {} live and {} at the peak; planned {} and {}; arena {} of {}\n",
             made.memory.kv_live_bytes, made.memory.kv_peak_bytes,
             made.memory.kv_live_planned_bytes, made.memory.kv_peak_planned_bytes,
             made.memory.arena_bytes, made.memory.arena_planned_bytes);
  fmt::print("  {:.2f} s on the CPU, {:.2f} s on the device\n", reference.seconds, made.seconds);
}

}  // namespace

int device_agree_command(const ConfigArguments& arguments, const DeviceAgreeOptions& options) {
  const std::string root = data_root().string();
  PointList list = list_points(compose_request(arguments), root, PointIdentity::kNone,
                               component_registry(arguments));
  check_prompts(list.points, root);
  PointWorker on_device(root, {}, "");
  PointWorker on_cpu(root, {}, "");
  for (const Point& point : list.points) on_device.open_device_of(point);
  bool all_agree = true;
  for (const Point& point : list.points) {
    Point reference_point = point;
    reference_point.config.set("device", "cpu");
    try {
      const Made reference = made_by(on_cpu, reference_point);
      const Made made = made_by(on_device, point);
      const Agreement agreement = agreement_of(point, reference, made);
      options.json ? print_json(point, agreement, reference, made)
                   : print_text(point, agreement, reference, made);
      all_agree = all_agree && agreement.reason.empty();
    } catch (const c10::Error& error) {
      const auto failure = device_error(error);
      if (!failure) throw;
      print_failure(point, failure->what(), options.json);
      all_agree = false;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kAudit && error.kind() != ErrorKind::kNumerics) throw;
      print_failure(point, error.what(), options.json);
      all_agree = false;
    }
    std::fflush(stdout);
  }
  return all_agree ? 0 : 1;
}

}  // namespace kvscope
