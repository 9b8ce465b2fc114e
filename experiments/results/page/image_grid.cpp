#include "experiments/results/page/image_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "analysis/metrics/registry.h"
#include "core/base/mebibytes.h"
#include "core/base/text_file.h"
#include "core/image/png.h"
#include "experiments/results/comparable.h"
#include "experiments/results/point_labels.h"

namespace kvscope {
namespace {

constexpr int64_t kShownSide = 112;       // of a small image in the page, about
constexpr double kBytesPerPixel = 2.2;    // of a PNG, from above
constexpr int64_t kSmallestSide = 64;     // that still shows something
constexpr int64_t kPixelatedBelow = 128;  // images this small are magnified as squares

/// The row of the image of the same prompt and seed; of the same place where the base seed is
/// another.
const ImageRow* row_of(const PointSummary& point, const ImageRow& wanted) {
  const std::vector<ImageRow>& rows = point.result.rows;
  const auto same = std::ranges::find_if(rows, [&](const ImageRow& row) {
    return row.prompt_id == wanted.prompt_id && row.seed == wanted.seed;
  });
  if (same != rows.end()) return &*same;
  const auto place = std::ranges::find_if(rows, [&](const ImageRow& row) {
    return row.prompt == wanted.prompt && row.image_index == wanted.image_index;
  });
  return place == rows.end() ? nullptr : &*place;
}

std::string as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The stored file itself where it is small enough, so that its texts stay with it.
GridImage grid_image(const std::filesystem::path& file, int64_t side_px) {
  const std::optional<Image> image = stored_image(file);
  if (!image) return {};
  const int64_t longest = std::max(image->width, image->height);
  GridImage result;
  result.width_px = std::max<int64_t>(1, kShownSide * image->width / longest);
  result.height_px = std::max<int64_t>(1, kShownSide * image->height / longest);
  result.png = longest <= side_px ? text_of_file(file).value_or("")
                                  : as_text(encode_png(reduced(*image, side_px)));
  return result;
}

int64_t longest_side(const SweepSummary& sweep) {
  for (const PointSummary& point : sweep.points) {
    for (const ImageRow& row : point.result.rows) {
      if (const auto image = stored_image(image_path(point.folder, row.image_index))) {
        return std::max(image->width, image->height);
      }
    }
  }
  return 0;
}

/// Prompts and side that keep within the limits.
GridLimits fitting(const SweepSummary& sweep, const GridLimits& limits, int64_t longest) {
  GridLimits fit = limits;
  const auto first = std::ssize(sweep.points.front().result.rows);
  fit.prompts = std::min(limits.prompts, static_cast<int64_t>(first));
  fit.side_px = std::min(limits.side_px, std::max<int64_t>(longest, 1));
  const auto bytes = [&] {
    const auto side = static_cast<double>(fit.side_px);
    return kBytesPerPixel * side * side *
           static_cast<double>(fit.prompts * std::ssize(sweep.points));
  };
  while (bytes() > static_cast<double>(limits.bytes) && fit.side_px > kSmallestSide) {
    fit.side_px = std::max(kSmallestSide, fit.side_px / 2);
  }
  while (bytes() > static_cast<double>(limits.bytes) && fit.prompts > 1) --fit.prompts;
  return fit;
}

std::vector<std::string> details_of(const PointSummary& point) {
  std::vector<std::string> lines = {budget_name(point.point()),
                                    fmt::format("{:.2f} MiB", mebibytes(point.kv_peak_bytes))};
  for (const Metric& metric : metrics()) {
    const Measured& measured = point.metric(metric);
    if (metric.beside_images.empty() || !measured.present()) continue;
    lines.push_back(std::isinf(measured.value) && !metric.all_left_out.empty()
                        ? metric.all_left_out
                        : fmt::format(fmt::runtime(metric.beside_images), measured.value));
  }
  return lines;
}

std::string caption_of(const SweepSummary& sweep, const GridLimits& fit, int64_t longest) {
  const auto all = std::ssize(sweep.points.front().result.rows);
  std::string caption = fmt::format("{} of {} images of each point.", fit.prompts, all);
  if (longest > fit.side_px) {
    const int64_t factor = (longest + fit.side_px - 1) / fit.side_px;
    caption += fmt::format(
        " The page holds means over squares of {0} x {0} pixels of them: differences are those of "
        "the means. The images themselves are in points/*/images.",
        factor);
  }
  return caption;
}

}  // namespace

Image reduced(const Image& image, int64_t side_px) {
  const int64_t longest = std::max(image.width, image.height);
  const int64_t factor = (longest + side_px - 1) / side_px;
  if (factor <= 1) return image;
  Image small(std::max<int64_t>(1, image.height / factor),
              std::max<int64_t>(1, image.width / factor));
  for (int64_t y = 0; y < small.height; ++y) {
    for (int64_t x = 0; x < small.width; ++x) {
      const int64_t bottom = std::min(image.height, (y + 1) * factor);
      const int64_t right = std::min(image.width, (x + 1) * factor);
      const int64_t count = (bottom - y * factor) * (right - x * factor);
      for (int64_t c = 0; c < 3; ++c) {
        int64_t sum = 0;
        for (int64_t row = y * factor; row < bottom; ++row) {
          for (int64_t column = x * factor; column < right; ++column) {
            sum += image.pixel(row, column)[c];
          }
        }
        small.pixel(y, x)[c] = static_cast<uint8_t>((sum + count / 2) / count);
      }
    }
  }
  return small;
}

ImageGrid image_grid(const SweepSummary& of_model, const GridLimits& limits) {
  const std::vector<PointSummary>& points = of_model.points;
  const int64_t longest = longest_side(of_model);
  const GridLimits fit = fitting(of_model, limits, longest);
  std::map<size_t, std::string> reference_of;  // by index
  for (const ComparableGroup& group : comparable_groups(points)) {
    std::string full;
    for (const size_t i : group.points) {
      if (points[i].point().full_cache) full = short_hash(points[i].point());
    }
    for (const size_t i : group.points) reference_of[i] = full;
  }
  ImageGrid grid;
  grid.title = "The same prompts and seeds under each policy and budget";
  grid.caption = caption_of(of_model, fit, longest);
  grid.pixelated = longest > 0 && longest < kPixelatedBelow;
  std::vector<ImageRow> shown(points.front().result.rows.begin(),
                              points.front().result.rows.begin() + fit.prompts);
  for (const ImageRow& row : shown) grid.prompts.push_back(row.prompt);
  const std::vector<LabelKey> differing = differing_keys(of_model);
  for (size_t i = 0; i < points.size(); ++i) {
    GridRow row{.label = series_name(points[i], differing),
                .details = details_of(points[i]),
                .point = short_hash(points[i].point()),
                .reference = reference_of[i]};
    for (const ImageRow& wanted : shown) {
      const ImageRow* found = row_of(points[i], wanted);
      row.images.push_back(
          found == nullptr
              ? GridImage{}
              : grid_image(image_path(points[i].folder, found->image_index), fit.side_px));
    }
    grid.rows.push_back(std::move(row));
  }
  return grid;
}

}  // namespace kvscope
