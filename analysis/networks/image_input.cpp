#include "analysis/networks/image_input.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/base/error.h"

namespace kvscope {

at::Tensor image_tensor(const Image& image, at::ScalarType dtype) {
  const at::Tensor bytes =
      at::from_blob(const_cast<uint8_t*>(image.rgb.data()),  // only read
                    {image.height, image.width, 3}, at::TensorOptions(at::kByte));
  return bytes.permute({2, 0, 1}).unsqueeze(0).to(dtype, false, true).contiguous();
}

Image image_of_tensor(const at::Tensor& bytes) {
  if (bytes.dim() != 3 || bytes.size(2) != 3 || bytes.scalar_type() != at::kByte ||
      bytes.numel() == 0) {
    throw Error(ErrorKind::kInput, "a picture must be bytes [height, width, 3]");
  }
  Image image(bytes.size(0), bytes.size(1));
  const at::Tensor whole = bytes.contiguous();
  std::copy_n(whole.const_data_ptr<uint8_t>(), image.rgb.size(), image.rgb.data());
  return image;
}

}  // namespace kvscope
