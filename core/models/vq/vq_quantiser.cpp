#include "core/models/vq/vq_quantiser.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/base/dtype_name.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

// Distances of this many pixels and rows are held at once: 64 MB.
constexpr int64_t kDistancesAtOnce = int64_t{1} << 24;

at::Tensor normalised(const at::Tensor& x, int64_t dimension) {
  return x / x.norm(2, {dimension}, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace

at::Tensor vq_codebook(const TensorMap& weights) {
  return normalised(weights.at("quantize.embedding.weight"), 1);
}

at::Tensor vq_lookup(const at::Tensor& codebook, const at::Tensor& ids) {
  if (ids.dim() != 3 || !at::isIntegralType(ids.scalar_type(), /*includeBool=*/false)) {
    throw Error(ErrorKind::kInput,
                fmt::format("image ids must be integers [images, height, width]; got {} "
                            "dimensions of {}",
                            ids.dim(), dtype_name(ids.scalar_type())));
  }
  const at::Tensor rows = ids.to(codebook.device(), at::kLong).reshape({-1});
  if (rows.numel() > 0) {
    const int64_t least = rows.min().item<int64_t>();
    const int64_t most = rows.max().item<int64_t>();
    if (least < 0 || most >= codebook.size(0)) {
      throw Error(ErrorKind::kInput,
                  fmt::format("image id {} is not in 0..{}, the rows of the codebook",
                              least < 0 ? least : most, codebook.size(0) - 1));
    }
  }
  return codebook.index_select(0, rows)
      .view({ids.size(0), ids.size(1), ids.size(2), codebook.size(1)})
      .permute({0, 3, 1, 2});
}

at::Tensor vq_nearest(const at::Tensor& codebook, const at::Tensor& features) {
  const at::NoGradGuard no_grad;
  const at::Tensor pixels =
      normalised(features.detach(), 1).permute({0, 2, 3, 1}).reshape({-1, features.size(1)});
  const at::Tensor rows = normalised(codebook.detach(), 1);
  const at::Tensor row_squares = rows.square().sum(1);
  const at::Tensor ids = at::empty({pixels.size(0)}, pixels.options().dtype(at::kLong));
  const int64_t at_once = std::max<int64_t>(1, kDistancesAtOnce / rows.size(0));
  for (int64_t first = 0; first < pixels.size(0); first += at_once) {
    const int64_t count = std::min(at_once, pixels.size(0) - first);
    const at::Tensor part = pixels.narrow(0, first, count);
    const at::Tensor distances =
        part.square().sum(1, /*keepdim=*/true) + row_squares - 2 * at::matmul(part, rows.t());
    ids.narrow(0, first, count).copy_(distances.argmin(1));
  }
  return ids.view({features.size(0), features.size(2), features.size(3)});
}

at::Tensor VqQuantised::straight_through() const {
  return features + (codes - features).detach();
}

VqQuantised vq_quantise(const at::Tensor& codebook, const at::Tensor& features) {
  VqQuantised quantised;
  quantised.features = normalised(features, 1);
  quantised.ids = vq_nearest(codebook, features);
  quantised.codes = vq_lookup(codebook, quantised.ids);
  return quantised;
}

}  // namespace kvscope
