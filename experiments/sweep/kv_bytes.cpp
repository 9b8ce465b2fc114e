#include "experiments/sweep/kv_bytes.h"

#include <fmt/format.h>

#include <cstdint>

#include "core/base/error.h"
#include "core/models/image_model.h"

namespace kvscope {

ConfigNode kv_bytes_of(const std::vector<ConfigNode>& arguments) {
  constexpr int64_t kMostRows = 1 << 20;
  const bool has_rows = arguments.size() == 2;
  const bool is_model = !arguments.empty() && arguments.size() <= 2 && arguments[0].is_map();
  const bool are_rows =
      !has_rows || (arguments[1].kind() == ConfigKind::kInt && arguments[1].as_int64() >= 1 &&
                    arguments[1].as_int64() <= kMostRows);
  if (!is_model || !are_rows) {
    throw Error(ErrorKind::kConfig,
                fmt::format("kv_bytes takes a model's mapping and, if need be, a number of rows, "
                            "1..{}: ${{kv_bytes:${{model}},2}}",
                            kMostRows));
  }
  const CacheGeometry cache = model_facts(arguments[0]).cache;
  const int64_t rows = has_rows ? arguments[1].as_int64() : 1;
  return rows * full_cache_tokens(cache.steps) * cache.layers * cache.heads * cache.token_bytes();
}

}  // namespace kvscope
