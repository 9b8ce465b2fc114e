#include "core/engine/attended_history.h"

#include <ATen/ATen.h>
#include <fmt/core.h>

#include "core/base/error.h"

namespace kvscope {

AttendedHistory attended_history(const KvCache& cache, int64_t layer, const Reading& reading) {
  const KeptIndices& attended = *reading.tokens;
  const RaggedRows history = cache.history(layer);
  const int64_t heads = cache.plan().geometry().heads;
  const auto slots = static_cast<int64_t>(history.length.size());
  if (std::ssize(attended) != slots) {
    throw Error(ErrorKind::kAudit,
                fmt::format("layer {}: attended tokens of {} slots; expected {} rows x {} heads",
                            layer, attended.size(), cache.rows(), heads));
  }
  AttendedHistory seen;
  std::vector<int64_t> rows;
  for (int64_t slot = 0; slot < slots; ++slot) {
    const int64_t padding = cache.padding_length(layer, slot / heads, slot % heads);
    const auto first = static_cast<int64_t>(rows.size());
    int64_t skipped = 0;  // padding is copied as well, so that the bytes do not depend on prompts
    int64_t previous = -1;
    for (const int64_t index : attended[static_cast<size_t>(slot)]) {
      if (index <= previous || index >= history.length[static_cast<size_t>(slot)]) {
        throw Error(ErrorKind::kAudit,
                    fmt::format("layer {}, row {}, head {}: attends to token {} after {} of the {} "
                                "it holds",
                                layer, slot / heads, slot % heads, index, previous,
                                history.length[static_cast<size_t>(slot)]));
      }
      previous = index;
      if (index < padding) ++skipped;
      rows.push_back(history.begin[static_cast<size_t>(slot)] + index);
    }
    seen.begin.push_back(first + skipped);
    seen.length.push_back(static_cast<int64_t>(rows.size()) - seen.begin.back());
    if (reading.copies_all_held) {
      rows.resize(static_cast<size_t>(first + history.length[static_cast<size_t>(slot)]),
                  history.begin[static_cast<size_t>(slot)]);  // some token: nobody reads it
    }
  }
  const at::Tensor index = at::tensor(rows, at::kLong).to(history.keys.device());
  seen.keys = history.keys.index_select(0, index);
  seen.values = history.values.index_select(0, index);
  return seen;
}

}  // namespace kvscope
