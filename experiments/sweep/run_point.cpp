#include "experiments/sweep/run_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "analysis/metrics/measurement.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/config/hash.h"
#include "experiments/results/result_file.h"
#include "experiments/sweep/generation_session.h"
#include "experiments/sweep/metric_settings.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

/// What is measured on a point's images.
class ImageMetrics {
 public:
  ImageMetrics(const Point& point, const PointRun& run)
      : reference_(point_folder(run.points_folder, point.reference_hash)),
        geometry_(point.facts.cache),
        measurement_(point.metrics, inputs_of(point, run)),
        compares_(!point.full_cache && measurement_.compares()) {
    if (compares_ && measurement_.compares_tokens()) read_reference_tokens();
  }

  void fill(ImageRow& row, const Image& image) const {
    const fs::path file = image_path(reference_, row.image_index);
    std::optional<Image> expected;
    if (compares_) expected = stored_image(file);
    MeasuredTokens tokens{.image = row.packed_tokens, .geometry = &geometry_};
    const auto twin = reference_tokens_.find(row.image_index);
    if (twin != reference_tokens_.end()) tokens.reference = twin->second;
    measurement_.measure({image, row.prompt, row.skill, expected ? &*expected : nullptr, tokens},
                         row.metrics);
  }

 private:
  static MetricInputs inputs_of(const Point& point, const PointRun& run) {
    MetricInputs inputs = metric_inputs_of(point.config);
    inputs.set_device(run.device);
    return inputs;
  }

  /// Where the reference is not finished, whoever reads the results measures it then.
  void read_reference_tokens() {
    if (!point_finished(reference_)) return;
    try {
      for (ImageRow& row : read_result(reference_ / "result.h5").rows) {
        reference_tokens_[row.image_index] = std::move(row.packed_tokens);
      }
    } catch (const Error&) {
      reference_tokens_.clear();  // damaged: as if it were not there
    }
  }

  fs::path reference_;
  const CacheGeometry& geometry_;
  Measurement measurement_;
  bool compares_ = false;
  std::map<uint64_t, std::vector<uint8_t>> reference_tokens_;  // by image number
};

/// One point at work.
class PointRunner {
 public:
  PointRunner(const Point& point, const PointRun& run)
      : point_(point),
        run_(run),
        folder_(point_folder(run.points_folder, point.hash)),
        session_(point, run.model, run.device),
        metrics_(point, run) {
    // The number of token values is the model's to say; rows have heard it.
    if (!run.kept.empty()) open_writer(std::ssize(run.kept.front().packed_tokens));
  }

  bool run() {
    std::vector<uint64_t> missing;
    for (uint64_t image = 0; image < static_cast<uint64_t>(point_.images()); ++image) {
      if (!writer_ || !writer_->rows_present().contains(point_.number_of(image))) {
        missing.push_back(image);
      }
    }
    auto batch = static_cast<size_t>(point_.generation.batch);
    for (size_t first = 0; first < missing.size();) {
      if (run_.stop_asked()) return false;
      const size_t count = std::min(batch, missing.size() - first);
      const auto images = std::span<const uint64_t>(missing).subspan(first, count);
      const std::optional<MadeBatch> made = session_.make_if_memory_suffices(images);
      if (!made) {
        batch = count / 2;
        run_.say(fmt::format("memory does not suffice for {} images at once: going on with {}",
                             count, batch));
        continue;
      }
      if (!keep(images, *made)) return false;
      run_.images_made(static_cast<int64_t>(count));
      first += count;
    }
    if (!run_.may_write()) return false;
    writer_->finish();
    return true;
  }

 private:
  void open_writer(int64_t token_bytes) {
    info_ = point_.info(run_.manifest_json, token_bytes);
    writer_.emplace(folder_ / "result.h5", info_, run_.kept);
  }

  bool keep(std::span<const uint64_t> images, const MadeBatch& batch) {
    if (!run_.may_write()) return false;
    const GeneratedBatch& made = batch.generated;
    if (!writer_) open_writer(static_cast<int64_t>(made.tokens.front().size()));
    for (size_t i = 0; i < images.size(); ++i) {
      const Prompt& prompt = *batch.prompts[i];
      ImageRow row{.image_index = point_.number_of(images[i]),
                   .prompt_id = prompt.id,
                   .prompt = prompt.text,
                   .prompt_cut_tokens = prompt.cut_tokens,
                   .seed = batch.seeds[i],
                   .batch = std::ssize(images),
                   .skill = prompt.skill};
      describe(row, made, i);
      describe_memory(row, batch.memory, std::ssize(images));
      metrics_.fill(row, made.images[i]);
      write_result_image(folder_, info_, row, made.images[i]);
      writer_->append(row);
    }
    return true;
  }

  /// Likewise, but for the device's peak, which is one.
  static void describe_memory(ImageRow& row, const BatchMemory& memory, int64_t images) {
    row.kv_planned_bytes = memory.kv_live_planned_bytes / images;
    row.kv_live_bytes = memory.kv_live_bytes / images;
    row.kv_peak_bytes = memory.kv_peak_bytes / images;
    row.kv_peak_planned_bytes = memory.kv_peak_planned_bytes / images;
    row.kv_allocated_bytes = memory.arena_bytes / images;
    row.allocator_peak_bytes = memory.allocator_peak_bytes / images;
    row.allocator_planned_bytes = memory.allocator_planned_bytes / images;
    if (memory.device_peak_bytes) {
      row.device_peak_bytes = static_cast<double>(*memory.device_peak_bytes);
    }
  }

  /// Costs are an image's share of its batch; all images of a batch cost the same.
  void describe(ImageRow& row, const GeneratedBatch& made, size_t image) const {
    const auto images = static_cast<double>(made.images.size());
    row.packed_tokens = made.tokens[image];
    row.token_sha256 = sha256_hex(
        {reinterpret_cast<const char*>(row.packed_tokens.data()), row.packed_tokens.size()});
    for (const double milliseconds : made.times.step_ms)
      row.step_ms.push_back(milliseconds / images);
    row.attention_ms = made.times.attention_ms / images;
    row.policy_ms = made.times.policy_ms / images;
    row.total_ms = std::accumulate(row.step_ms.begin(), row.step_ms.end(),
                                   (made.text_ms + made.decode_ms) / images);
  }

  const Point& point_;
  const PointRun& run_;
  fs::path folder_;
  GenerationSession session_;
  ImageMetrics metrics_;
  PointInfo info_;
  std::optional<ResultWriter> writer_;
};

}  // namespace

fs::path point_folder(const fs::path& points_folder, const std::string& hash) {
  return points_folder / short_hash(hash);
}

bool run_point(const Point& point, const PointRun& run) {
  return PointRunner(point, run).run();
}

}  // namespace kvscope
