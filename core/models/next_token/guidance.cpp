#include "core/models/next_token/guidance.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace kvscope::next_token {

at::Tensor halves_of_interleaved(const at::Tensor& rows) {
  return rows.unflatten(0, {-1, 2}).transpose(0, 1).flatten(0, 1);
}

at::Tensor interleaved_of_halves(const at::Tensor& rows) {
  return rows.unflatten(0, {2, -1}).transpose(0, 1).flatten(0, 1);
}

bool guided(const std::vector<double>& cfg) {
  return std::any_of(cfg.begin(), cfg.end(), [](double value) { return value != 1.0; });
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

at::Tensor mixed(const at::Tensor& logits, int64_t images, double scale) {
  const at::Tensor conditional = logits.narrow(0, 0, images);
  if (scale == 1.0 || logits.size(0) == images) return conditional;
  const at::Tensor unconditional = logits.narrow(0, images, images);
  return unconditional + scale * (conditional - unconditional);
}

double guidance_of_token(double scale, int64_t token, int64_t interval) {
  return interval > -1 && token - 1 > interval ? 1.0 : scale;
}

}  // namespace kvscope::next_token
