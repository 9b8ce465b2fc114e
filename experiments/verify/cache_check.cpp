#include "experiments/verify/cache_check.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <vector>

#include "experiments/verify/group_check.h"

namespace kvscope::verify {
namespace {

// Rows of the first `count` images: conditional, then unconditional ones.
at::Tensor rows_of_images(const at::Tensor& rows, int64_t images, int64_t count) {
  if (count == images) return rows;
  if (rows.size(0) == images) return rows.narrow(0, 0, count);
  return at::cat({rows.narrow(0, 0, count), rows.narrow(0, images, count)});
}

}  // namespace

at::Tensor cached_layer(const KvCache& cache, int64_t layer, bool keys) {
  std::vector<at::Tensor> rows;
  for (int64_t row = 0; row < cache.rows(); ++row) {
    std::vector<at::Tensor> heads;
    for (int64_t head = 0; head < cache.plan().geometry().heads; ++head) {
      heads.push_back(keys ? cache.keys(layer, row, head) : cache.values(layer, row, head));
    }
    rows.push_back(at::stack(heads));
  }
  return at::stack(rows);
}

GroupResult check_cache(GoldenFile& file, const KvCache& cache, int64_t images, bool keys) {
  const std::string group = keys ? "cache.k" : "cache.v";
  GroupCheck check(group);
  const int64_t layers = cache.plan().geometry().layers;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const std::string name = fmt::format("{}.{}", group, layer);
    if (!file.has(name)) continue;
    const at::Tensor all = cached_layer(cache, layer, keys);
    const int64_t rows_an_image = all.size(0) / images;
    const std::vector<int64_t>& shape = file.shape(name);
    const int64_t rows = shape.empty() ? 0 : shape.front();
    if (rows < 1 || rows > all.size(0) || rows % rows_an_image != 0) {
      file.fail(fmt::format("tensor '{}' has {} rows; expected {} for each of up to {} images",
                            name, rows, rows_an_image, images));
    }
    const at::Tensor computed = rows_of_images(all, images, rows / rows_an_image);
    check.compare(computed, file.tensor(name, computed.sizes()), name);
  }
  if (check.compared() == 0) return not_in_file(group, group + ".L");
  return check.result(check.compared() == layers ? "" : fmt::format("of {} layers", layers));
}

}  // namespace kvscope::verify
