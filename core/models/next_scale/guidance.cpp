#include "core/models/next_scale/guidance.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace kvscope {

std::vector<double> per_scale(const std::vector<double>& values,
                              size_t scales,
                              const std::string& what) {
  if (values.size() == 1) return std::vector<double>(scales, values.front());
  if (values.size() == scales) return values;
  throw Error(ErrorKind::kConfig,
              fmt::format("{} has {} values; expected 1 or one for each of the {} scales", what,
                          values.size(), scales));
}

bool guided(const std::vector<double>& cfg, double unguided) {
  return std::any_of(cfg.begin(), cfg.end(), [&](double value) { return value != unguided; });
}

int64_t cache_rows(int64_t images, const std::vector<double>& cfg, double unguided) {
  return guided(cfg, unguided) ? 2 * images : images;
}

}  // namespace kvscope
