#include "core/models/picture_tensors.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace kvscope {

std::vector<Picture> to_pictures(const at::Tensor& decoded, PixelRounding rounding) {
  at::Tensor levels = (decoded.to(at::kFloat).clamp(-1, 1) + 1) / 2 * 255;
  if (rounding == PixelRounding::kNearest) levels = levels + 0.5;
  const at::Tensor bytes = levels.to(at::kByte).permute({0, 2, 3, 1}).to(at::kCPU).contiguous();
  std::vector<Picture> pictures;
  for (int64_t i = 0; i < bytes.size(0); ++i) {
    Picture picture(bytes.size(1), bytes.size(2));
    const uint8_t* data = bytes[i].data_ptr<uint8_t>();
    std::copy(data, data + picture.rgb.size(), picture.rgb.begin());
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

at::Tensor from_pictures(std::span<const Picture> pictures) {
  if (pictures.empty()) return {};
  const int64_t height = pictures.front().height;
  const int64_t width = pictures.front().width;
  at::Tensor bytes =
      at::empty({static_cast<int64_t>(pictures.size()), height, width, 3}, at::kByte);
  uint8_t* data = bytes.data_ptr<uint8_t>();
  for (const Picture& picture : pictures) {
    data = std::copy(picture.rgb.begin(), picture.rgb.end(), data);
  }
  return bytes.permute({0, 3, 1, 2}).to(at::kFloat).div_(127.5).sub_(1).contiguous();
}

}  // namespace kvscope
