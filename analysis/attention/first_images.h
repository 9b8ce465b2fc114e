#pragma once

#include <cstdint>
#include <string>

#include "analysis/attention/attention_record.h"

namespace kvscope {

/// What the record would be of its first `images` alone, of the arrays whose values of every image
/// it has and that are means: each image counts alike. Throws Error(kConfig) for more images than
/// there are, or fewer than 1.
AttentionRecord of_first_images(const AttentionRecord& record, int64_t images);

/// An array as it varies between images.
enum class ImageSpread {
  kDeviation,  ///< standard deviation, divisor n - 1
  kInterval    ///< half of the 95 % interval of the mean: t(n - 1) deviations / sqrt(n)
};

/// Throws Error(kInput) where the record has no variance of `name`, or of a single image only.
NamedArray image_spread(const AttentionRecord& record, const std::string& name, ImageSpread spread);

/// The array of image 0, 1, ... alone. Throws Error(kInput) where the record does not have it.
NamedArray of_image(const AttentionRecord& record, const std::string& name, int64_t image);

}  // namespace kvscope
