#include "experiments/sweep/run_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "analysis/metrics/psnr.h"
#include "analysis/metrics/ssim.h"
#include "analysis/shapes/judge.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/engine/kv_cache.h"
#include "core/image/png.h"
#include "experiments/results/result_file.h"
#include "policies/registry.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

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
        policy_(make_policy(point.config.at("policy"))),
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
      if (run_.interrupt.requested()) return false;
      const size_t count = std::min(batch, missing.size() - first);
      make(std::span<const uint64_t>(missing).subspan(first, count));
      run_.progress.add_images(static_cast<int64_t>(count));
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
    AttentionContext context{*cache_, policy_.get()};
    const GeneratedBatch made =
        run_.model.generate(texts, point_.generation.sampling, generators, context);
    audit(rows);
    if (!writer_) open_writer(static_cast<int64_t>(made.tokens.front().size()));
    for (size_t i = 0; i < images.size(); ++i) {
      describe(image_rows[i], made, i, rows);
      metrics_.fill(image_rows[i], made.pictures[i]);
      write_result_image(folder_, info_, image_rows[i], made.pictures[i]);
      writer_->append(image_rows[i]);
    }
  }

  void audit(int64_t rows) const {
    const auto last = static_cast<int64_t>(point_.plan.geometry().steps.size()) - 1;
    cache_->audit(last);
    const int64_t planned = point_.plan.live_bytes(last, rows);
    if (cache_->live_bytes() != planned ||
        cache_->allocated_bytes() != point_.plan.arena_bytes(rows)) {
      throw Error(ErrorKind::kAudit,
                  fmt::format("point {}: {} bytes live and {} allocated; planned {} and {}",
                              point_.hash.substr(0, 12), cache_->live_bytes(),
                              cache_->allocated_bytes(), planned, point_.plan.arena_bytes(rows)));
    }
  }

  /// Costs are an image's share of its batch; all images of a batch cost the same.
  void describe(ImageRow& row, const GeneratedBatch& made, size_t image, int64_t rows) const {
    const auto images = static_cast<double>(made.pictures.size());
    const auto share = [&](int64_t bytes) {
      return bytes / static_cast<int64_t>(made.pictures.size());
    };
    const auto last = static_cast<int64_t>(point_.plan.geometry().steps.size()) - 1;
    row.packed_tokens = made.tokens[image];
    row.token_sha256 = sha256_hex(
        {reinterpret_cast<const char*>(row.packed_tokens.data()), row.packed_tokens.size()});
    for (const double milliseconds : made.step_ms) row.step_ms.push_back(milliseconds / images);
    row.attention_ms = made.attention_ms / images;
    row.policy_ms = made.policy_ms / images;
    row.total_ms = std::accumulate(row.step_ms.begin(), row.step_ms.end(),
                                   (made.text_ms + made.decode_ms) / images);
    row.kv_planned_bytes = share(point_.plan.live_bytes(last, rows));
    row.kv_live_bytes = share(cache_->live_bytes());
    row.kv_peak_bytes = share(cache_->peak_live_bytes());
    row.kv_allocated_bytes = share(cache_->allocated_bytes());
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
