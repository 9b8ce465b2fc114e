#include "core/models/image_tensors.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace kvscope {

std::vector<Image> to_images(const at::Tensor& decoded, PixelRounding rounding) {
  at::Tensor levels = (decoded.to(at::kFloat).clamp(-1, 1) + 1) / 2 * 255;
  if (rounding == PixelRounding::kNearest) levels = levels + 0.5;
  const at::Tensor bytes = levels.to(at::kByte).permute({0, 2, 3, 1}).to(at::kCPU).contiguous();
  std::vector<Image> images;
  for (int64_t i = 0; i < bytes.size(0); ++i) {
    Image image(bytes.size(1), bytes.size(2));
    const uint8_t* data = bytes[i].data_ptr<uint8_t>();
    std::copy(data, data + image.rgb.size(), image.rgb.begin());
    images.push_back(std::move(image));
  }
  return images;
}

at::Tensor from_images(std::span<const Image> images) {
  if (images.empty()) return {};
  const int64_t height = images.front().height;
  const int64_t width = images.front().width;
  at::Tensor bytes = at::empty({static_cast<int64_t>(images.size()), height, width, 3}, at::kByte);
  uint8_t* data = bytes.data_ptr<uint8_t>();
  for (const Image& image : images) {
    data = std::copy(image.rgb.begin(), image.rgb.end(), data);
  }
  return bytes.permute({0, 3, 1, 2}).to(at::kFloat).div_(127.5).sub_(1).contiguous();
}

}  // namespace kvscope
