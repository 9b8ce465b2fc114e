#include "experiments/results/reference_metrics.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <utility>

#include "analysis/metrics/psnr.h"
#include "analysis/metrics/ssim.h"
#include "core/image/png.h"

namespace kvscope {
namespace {

bool same_setting(const PointInfo& a, const PointInfo& b) {
  const auto rest = [](const PointInfo& point) {
    auto labels = point.labels;
    std::erase_if(labels, [](const auto& label) {
      return label.first == "policy" || label.first == "budget";
    });
    return labels;
  };
  return rest(a) == rest(b);
}

bool measured(const ImageRow& row) {
  return !std::isnan(row.psnr_decibels) && !std::isnan(row.ssim);
}

std::string complete(PointSummary& point, const PointSummary& reference) {
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> index_of;
  for (const ImageRow& row : reference.result.rows) {
    index_of[{row.prompt_id, row.seed}] = row.image_index;
  }
  for (ImageRow& row : point.result.rows) {
    if (measured(row)) continue;
    const auto twin = index_of.find({row.prompt_id, row.seed});
    if (twin == index_of.end()) continue;
    const std::filesystem::path expected = image_path(reference.folder, twin->second);
    const std::filesystem::path made = image_path(point.folder, row.image_index);
    if (!std::filesystem::exists(expected) || !std::filesystem::exists(made)) continue;
    const Picture a = read_png(expected).picture;
    const Picture b = read_png(made).picture;
    row.psnr_decibels = psnr_decibels(a, b);
    row.ssim = ssim(a, b);
  }
  return "no full-cache picture of the same prompt and seed";
}

}  // namespace

std::vector<std::string> complete_reference_metrics(std::span<PointSummary> points) {
  std::vector<std::string> reasons;
  for (PointSummary& point : points) {
    if (point.point().full_cache) {
      reasons.emplace_back("the reference itself");
      continue;
    }
    const auto reference = std::ranges::find_if(points, [&](const PointSummary& other) {
      return other.point().full_cache && same_setting(other.point(), point.point());
    });
    reasons.push_back(reference == points.end() ? "no full-cache point of the same setting"
                                                : complete(point, *reference));
  }
  return reasons;
}

}  // namespace kvscope
