#include "experiments/sweep/run_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "analysis/metrics/psnr.h"
#include "analysis/metrics/ssim.h"
#include "analysis/shapes/judge.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/device/allocation_meter.h"
#include "core/engine/kv_cache.h"
#include "core/engine/kv_memory.h"
#include "core/image/png.h"
#include "experiments/results/result_file.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr double kPeakTolerance = 0.02;

/// What is measured on a point's pictures.
class PictureMetrics {
 public:
  PictureMetrics(const Point& point, const fs::path& points_folder)
      : reference_(point_folder(points_folder, point.reference_hash)),
        compares_(!point.full_cache) {
    for (const std::string& name : point.config.at("metrics.list").as_string_list()) {
      psnr_ = psnr_ || name == "psnr";
      ssim_ = ssim_ || name == "ssim";
      shape_eval_ = shape_eval_ || name == "shape_eval";
    }
  }

  void fill(ImageRow& row, const Picture& picture) const {
    if (shape_eval_ && !row.skill.empty()) {
      row.shape_eval = shapes::judge(picture, row.prompt).correct ? 1 : 0;
    }
    const fs::path file = image_path(reference_, row.image_index);
    if (!compares_ || !(psnr_ || ssim_) || !fs::exists(file)) return;
    const Picture expected = read_png(file).picture;
    if (psnr_) row.psnr_decibels = psnr_decibels(expected, picture);
    if (ssim_) row.ssim = ssim(expected, picture);
  }

 private:
  fs::path reference_;
  bool compares_ = false;
  bool psnr_ = false;
  bool ssim_ = false;
  bool shape_eval_ = false;
};

/// One point at work.
class PointRunner {
 public:
  PointRunner(const Point& point, const PointRun& run)
      : point_(point),
        run_(run),
        folder_(point_folder(run.points_folder, point.hash)),
        policy_(point.policy()),
        metrics_(point, run.points_folder) {
    const fs::path part = folder_ / "result.h5.part";
    // The number of token values is the model's to say; a part of an earlier run has heard it.
    if (fs::exists(part)) open_writer(read_result(part).point.token_bytes);
  }

  bool run() {
    std::vector<uint64_t> missing;
    for (uint64_t image = 0; image < static_cast<uint64_t>(point_.images()); ++image) {
      if (!writer_ || !writer_->rows_present().contains(image)) missing.push_back(image);
    }
    const auto batch = static_cast<size_t>(point_.generation.batch);
    for (size_t first = 0; first < missing.size(); first += batch) {
      if (run_.stop_asked()) return false;
      const size_t count = std::min(batch, missing.size() - first);
      make(std::span<const uint64_t>(missing).subspan(first, count));
      run_.images_made(static_cast<int64_t>(count));
    }
    writer_->finish();
    return true;
  }

 private:
  void open_writer(int64_t token_bytes) {
    info_ = point_.info(run_.manifest_json, token_bytes);
    writer_.emplace(folder_ / "result.h5", info_);
  }

  void make(std::span<const uint64_t> images) {
    const auto count = static_cast<int64_t>(images.size());
    const int64_t rows = run_.model.rows(count, point_.generation.sampling);
    if (!cache_ || cache_->rows() != rows) {
      cache_.reset();  // the old arena goes before the new one comes
      cache_.emplace(point_.plan, rows, run_.device);
    }
    std::vector<ImageRow> image_rows(images.size());
    std::vector<std::string> texts;
    std::vector<at::Generator> generators;
    const auto replicas = static_cast<uint64_t>(point_.generation.replicas);
    for (size_t i = 0; i < images.size(); ++i) {
      const Prompt& prompt = point_.prompts[images[i] / replicas];
      generators.push_back(
          image_generator(point_.generation.seed, prompt.id, images[i] % replicas, run_.device));
      texts.push_back(prompt.text);
      image_rows[i] = {.image_index = images[i],
                       .prompt_id = prompt.id,
                       .prompt = prompt.text,
                       .seed = generators.back().current_seed(),
                       .skill = prompt.skill};
    }
    AttentionContext context{
        .cache = *cache_, .controller = policy_.get(), .cuts = point_.generation.cuts};
    const AllocationMeter meter(run_.device);
    const GeneratedBatch made =
        run_.model.generate(texts, point_.generation.sampling, generators, context);
    audit(rows, context);
    if (!writer_) open_writer(static_cast<int64_t>(made.tokens.front().size()));
    for (size_t i = 0; i < images.size(); ++i) {
      describe(image_rows[i], made, i);
      describe_memory(image_rows[i], context, meter, count);
      metrics_.fill(image_rows[i], made.pictures[i]);
      write_result_image(folder_, info_, image_rows[i], made.pictures[i]);
      writer_->append(image_rows[i]);
    }
  }

  /// Bytes as planned: those of tokens exactly, the peak with its transients within 2 %.
  void audit(int64_t rows, const AttentionContext& context) const {
    const Plan& plan = point_.plan;
    const auto last = static_cast<int64_t>(plan.geometry().steps.size()) - 1;
    cache_->audit(last);
    const auto check = [&](const char* what, int64_t found, int64_t planned, double tolerance) {
      const auto error = static_cast<double>(std::abs(found - planned));
      if (error <= tolerance * static_cast<double>(planned)) return;
      throw Error(ErrorKind::kAudit,
                  fmt::format("point {}: {} bytes {}; planned {}, tolerance {:g} %",
                              point_.hash.substr(0, 12), found, what, planned, 100 * tolerance));
    };
    check("allocated", cache_->allocated_bytes(), plan.arena_bytes(rows), 0);
    // Heads that share a packed layer during the run have groups of their own sizes: the cache has
    // audited its bytes by the tokens it holds, and the plan knows those of equal shares only.
    if (!plan.bytes_are_exact()) return;
    check("live", cache_->live_bytes(), plan.live_bytes(last, rows), 0);
    check("at the peak", context.kv_peak_bytes, planned_peak(rows), kPeakTolerance);
  }

  [[nodiscard]] int64_t planned_peak(int64_t rows) const {
    return peak_kv_bytes(point_.plan, rows,
                         policy_->kv_transients(point_.plan, point_.generation.cuts));
  }

  void describe_memory(ImageRow& row,
                       const AttentionContext& context,
                       const AllocationMeter& meter,
                       int64_t images) const {
    const int64_t rows = cache_->rows();
    const auto last = static_cast<int64_t>(point_.plan.geometry().steps.size()) - 1;
    row.kv_planned_bytes = point_.plan.live_bytes(last, rows) / images;
    row.kv_live_bytes = cache_->live_bytes() / images;
    row.kv_peak_bytes = context.kv_peak_bytes / images;
    row.kv_peak_planned_bytes = planned_peak(rows) / images;
    row.kv_allocated_bytes = cache_->allocated_bytes() / images;
    // On a CPU the arena comes from the system and not from LibTorch; on a GPU it is older than the
    // meter. Neither counts it.
    row.allocator_peak_bytes = (cache_->allocated_bytes() + meter.peak_bytes()) / images;
    row.allocator_planned_bytes =
        (point_.plan.arena_bytes(rows) +
         most_step_bytes(point_.plan.geometry(), rows, point_.generation.cuts)) /
        images;
    if (const auto bytes = meter.device_peak_bytes()) {
      row.device_peak_bytes = static_cast<double>(*bytes);
    }
  }

  /// Costs are an image's share of its batch; all images of a batch cost the same.
  void describe(ImageRow& row, const GeneratedBatch& made, size_t image) const {
    const auto images = static_cast<double>(made.pictures.size());
    row.packed_tokens = made.tokens[image];
    row.token_sha256 = sha256_hex(
        {reinterpret_cast<const char*>(row.packed_tokens.data()), row.packed_tokens.size()});
    for (const double milliseconds : made.step_ms) row.step_ms.push_back(milliseconds / images);
    row.attention_ms = made.attention_ms / images;
    row.policy_ms = made.policy_ms / images;
    row.total_ms = std::accumulate(row.step_ms.begin(), row.step_ms.end(),
                                   (made.text_ms + made.decode_ms) / images);
  }

  const Point& point_;
  const PointRun& run_;
  fs::path folder_;
  std::unique_ptr<Policy> policy_;
  PictureMetrics metrics_;
  PointInfo info_;
  std::optional<ResultWriter> writer_;
  std::optional<KvCache> cache_;
};

}  // namespace

fs::path point_folder(const fs::path& points_folder, const std::string& hash) {
  return points_folder / hash.substr(0, 12);
}

bool run_point(const Point& point, const PointRun& run) {
  return PointRunner(point, run).run();
}

int64_t images_there(const Point& point, const fs::path& points_folder) {
  const fs::path folder = point_folder(points_folder, point.hash);
  if (point_finished(folder)) return point.images();
  const fs::path part = folder / "result.h5.part";
  return fs::exists(part) ? static_cast<int64_t>(read_result(part).rows.size()) : 0;
}

}  // namespace kvscope
