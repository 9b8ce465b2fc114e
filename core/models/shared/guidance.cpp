#include "core/models/shared/guidance.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace kvscope {

at::Tensor halves_of_interleaved(const at::Tensor& rows) {
  return rows.unflatten(0, {-1, 2}).transpose(0, 1).flatten(0, 1);
}

at::Tensor interleaved_of_halves(const at::Tensor& rows) {
  return rows.unflatten(0, {2, -1}).transpose(0, 1).flatten(0, 1);
}

std::vector<double> per_step(const std::vector<double>& values,
                             size_t steps,
                             const std::string& what) {
  if (values.size() == 1) return std::vector<double>(steps, values.front());
  if (values.size() == steps) return values;
  throw Error(ErrorKind::kConfig,
              fmt::format("{} has {} values; expected 1 or one for each of the {} steps", what,
                          values.size(), steps));
}

bool guided(const std::vector<double>& cfg, double unguided) {
  return std::any_of(cfg.begin(), cfg.end(), [&](double value) { return value != unguided; });
}

int64_t cache_rows(int64_t images, const std::vector<double>& cfg, double unguided) {
  return guided(cfg, unguided) ? 2 * images : images;
}

at::Tensor mixed(const at::Tensor& logits, int64_t images, double strength, GuidanceForm form) {
  const at::Tensor c = logits.narrow(0, 0, images);
  if (logits.size(0) == images) return c;
  const at::Tensor u = logits.narrow(0, images, images);
  switch (form) {
    case GuidanceForm::kWeights:
      return strength == 1.0 ? c : strength * c + (1 - strength) * u;
    case GuidanceForm::kExcess:
      return (1 + strength) * c - strength * u;
    case GuidanceForm::kDifference:
      break;
  }
  return strength == 1.0 ? c : u + strength * (c - u);
}

}  // namespace kvscope
