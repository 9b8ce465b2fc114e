#pragma once

#include <cstdint>

#include "experiments/report/page.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// How much of a page its images may take.
struct GridLimits {
  int64_t prompts = 8;
  int64_t side_px = 512;              ///< larger images are made smaller, by a whole factor
  int64_t bytes = int64_t{24} << 20;  ///< of all PNGs, about: past it smaller, then fewer prompts
};

/// The images of one model: the same prompts and seeds across, those of the first point. Pairs of
/// rows are of one setting (comparable_groups), the full cache the one compared with. The caption
/// says when images are smaller than they were made.
ImageGrid image_grid(const SweepSummary& of_model, const GridLimits& limits = {});

/// `image` at most `side_px` wide and high: means over squares of a whole number of pixels.
Image reduced(const Image& image, int64_t side_px);

}  // namespace kvscope
