#include "analysis/networks/clip_input.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "analysis/networks/image_input.h"
#include "core/image/resize.h"

namespace kvscope {
namespace {

struct Sides {
  int64_t height;
  int64_t width;
};

Sides resized_sides(int64_t height, int64_t width, int64_t side) {
  const int64_t small = std::min(height, width);
  const int64_t large = side * std::max(height, width) / small;
  return height <= width ? Sides{side, large} : Sides{large, side};
}

bool rounds_down(ClipInput input) {
  return input == ClipInput::kTransformers || input == ClipInput::kTransformersFast;
}

int64_t crop_start(int64_t size, int64_t side, ClipInput input) {
  const int64_t rest = size - side;
  if (rounds_down(input) || rest % 2 == 0) return rest / 2;
  const int64_t half = rest / 2;  // and a half: to the even neighbour
  return half % 2 == 0 ? half : half + 1;
}

at::Tensor normalised(const at::Tensor& pixels) {
  const at::Tensor mean = at::tensor({.48145466, .4578275, .40821073}, at::kFloat);
  const at::Tensor deviation = at::tensor({.26862954, .26130258, .27577711}, at::kFloat);
  return (pixels - mean.view({1, 3, 1, 1})) / deviation.view({1, 3, 1, 1});
}

at::Tensor middle(const at::Tensor& resized, int64_t side, ClipInput input) {
  return resized.narrow(2, crop_start(resized.size(2), side, input), side)
      .narrow(3, crop_start(resized.size(3), side, input), side);
}

}  // namespace

Image clip_resized(const Image& image, int64_t side) {
  const Sides sides = resized_sides(image.height, image.width, side);
  return resize_image(image, sides.height, sides.width, ResizeFilter::kBicubic);
}

Image clip_cropped(const Image& resized, int64_t side, ClipInput input) {
  return cropped(resized, crop_start(resized.height, side, input),
                 crop_start(resized.width, side, input), side, side);
}

at::Tensor clip_pixels(const Image& image, int64_t side, ClipInput input) {
  if (input == ClipInput::kOpenAi || input == ClipInput::kTransformers) {
    return normalised(image_tensor(clip_cropped(clip_resized(image, side), side, input)) / 255);
  }
  const Sides sides = resized_sides(image.height, image.width, side);
  const std::vector<int64_t> size = {sides.height, sides.width};
  if (input == ClipInput::kTransformersFast) {
    const at::Tensor bytes = image_tensor(image, at::kByte);
    const at::Tensor resized = at::_upsample_bicubic2d_aa(bytes, size, false);
    return normalised(middle(resized, side, input).to(at::kFloat) / 255);
  }
  const at::Tensor levels = image_tensor(image) / 255;
  const at::Tensor resized = input == ClipInput::kTensor
                                 ? at::_upsample_bicubic2d_aa(levels, size, false)
                                 : at::upsample_bicubic2d(levels, size, false);
  return normalised(middle(resized, side, input));
}

}  // namespace kvscope
