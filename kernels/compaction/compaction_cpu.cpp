#include <ATen/Parallel.h>
#include <torch/library.h>

#include <cstring>

#include "kernels/compaction/compaction.h"
#include "kernels/ragged/checks.h"
#include "kernels/tile/tile.h"

namespace kvscope {
namespace {

// Bytes below which a second thread costs more than it brings.
constexpr int64_t kBytesPerThread = 128 * 1024;

template <typename To, typename From>
void convert(const From* from, int64_t count, To* to) {
  for (int64_t d = 0; d < count; ++d) to[d] = static_cast<To>(static_cast<float>(from[d]));
}

/// One slot of an arena as bytes, and how a current row gets into it.
class Slot {
 public:
  Slot(const at::Tensor& arena, int64_t begin)
      : type_(arena.scalar_type()),
        head_dim_(arena.size(1)),
        row_bytes_(head_dim_ * static_cast<int64_t>(arena.element_size())),
        data_(static_cast<char*>(arena.mutable_data_ptr()) + begin * row_bytes_) {}

  /// Moves `count` cached rows from `source` to `target` <= source; the runs may overlap.
  void move(int64_t target, int64_t source, int64_t count) const {
    std::memmove(data_ + target * row_bytes_, data_ + source * row_bytes_, count * row_bytes_);
  }

  void store(int64_t target, const RowSource& row) const {
    char* to = data_ + target * row_bytes_;
    if (row.type == type_) {
      std::memcpy(to, row.data, row_bytes_);
    } else if (type_ == at::kFloat) {
      convert(static_cast<const at::BFloat16*>(row.data), head_dim_, reinterpret_cast<float*>(to));
    } else {
      convert(static_cast<const float*>(row.data), head_dim_, reinterpret_cast<at::BFloat16*>(to));
    }
  }

 private:
  at::ScalarType type_;
  int64_t head_dim_;
  int64_t row_bytes_;
  char* data_;
};

void append_cpu(const at::Tensor& keys,
                const at::Tensor& values,
                c10::IntArrayRef begin,
                c10::IntArrayRef length,
                const at::Tensor& k_in,
                const at::Tensor& v_in) {
  const at::Tensor k = with_adjacent_channels(k_in);
  const at::Tensor v = with_adjacent_channels(v_in);
  const int64_t heads = k.size(1);
  const int64_t tokens = k.size(2);
  const int64_t slot_bytes = std::max<int64_t>(1, tokens * k.size(3) * 8);
  const int64_t grain = std::max<int64_t>(1, kBytesPerThread / slot_bytes);
  at::parallel_for(0, k.size(0) * heads, grain, [&](int64_t first, int64_t last) {
    for (int64_t slot = first; slot < last; ++slot) {
      const Slot key_slot(keys, begin[slot]);
      const Slot value_slot(values, begin[slot]);
      const RowSource k_rows = rows_of(k, slot / heads, slot % heads);
      const RowSource v_rows = rows_of(v, slot / heads, slot % heads);
      for (int64_t i = 0; i < tokens; ++i) {
        key_slot.store(length[slot] + i, k_rows.from(i));
        value_slot.store(length[slot] + i, v_rows.from(i));
      }
    }
  });
}

void compact_slot(const Slot& keys,
                  const Slot& values,
                  int64_t length,
                  const RowSource& k,
                  const RowSource& v,
                  c10::IntArrayRef kept) {
  const auto count = static_cast<int64_t>(kept.size());
  for (int64_t j = 0; j < count;) {
    if (kept[j] >= length) {
      keys.store(j, k.from(kept[j] - length));
      values.store(j, v.from(kept[j] - length));
      ++j;
      continue;
    }
    int64_t run = 1;  // adjacent sources move as one block
    while (j + run < count && kept[j + run] == kept[j] + run && kept[j + run] < length) ++run;
    if (kept[j] != j) {
      keys.move(j, kept[j], run);
      values.move(j, kept[j], run);
    }
    j += run;
  }
}

void compact_cpu(const at::Tensor& keys,
                 const at::Tensor& values,
                 c10::IntArrayRef begin,
                 c10::IntArrayRef length,
                 const at::Tensor& k_in,
                 const at::Tensor& v_in,
                 c10::IntArrayRef kept,
                 c10::IntArrayRef kept_begin) {
  const at::Tensor k = with_adjacent_channels(k_in);
  const at::Tensor v = with_adjacent_channels(v_in);
  const int64_t heads = k.size(1);
  const int64_t slots = k.size(0) * heads;
  const int64_t slot_bytes = std::max<int64_t>(
      1, static_cast<int64_t>(kept.size()) * k.size(3) * 8 / std::max<int64_t>(slots, 1));
  const int64_t grain = std::max<int64_t>(1, kBytesPerThread / slot_bytes);
  at::parallel_for(0, slots, grain, [&](int64_t first, int64_t last) {
    for (int64_t slot = first; slot < last; ++slot) {
      compact_slot(Slot(keys, begin[slot]), Slot(values, begin[slot]), length[slot],
                   rows_of(k, slot / heads, slot % heads), rows_of(v, slot / heads, slot % heads),
                   kept.slice(kept_begin[slot], kept_begin[slot + 1] - kept_begin[slot]));
    }
  });
}

TORCH_LIBRARY_FRAGMENT(kvscope, library) {
  library.def(
      "append_rows(Tensor(a!) keys, Tensor(b!) values, int[] begin, int[] length, Tensor k, "
      "Tensor v) -> ()");
  library.def(
      "compact_rows(Tensor(a!) keys, Tensor(b!) values, int[] begin, int[] length, Tensor k, "
      "Tensor v, int[] kept, int[] kept_begin) -> ()");
}

TORCH_LIBRARY_IMPL(kvscope, CPU, library) {
  library.impl("append_rows", &append_cpu);
  library.impl("compact_rows", &compact_cpu);
}

void check(const char* op, const RaggedRows& history, const at::Tensor& k, const at::Tensor& v) {
  check_ragged({.op = op,
                .q = at::Tensor(),
                .history_keys = history.keys,
                .history_values = history.values,
                .begin = as_array(history.begin),
                .length = as_array(history.length),
                .k = k,
                .v = v});
}

}  // namespace

void append_rows(const RaggedRows& history, const at::Tensor& k, const at::Tensor& v) {
  check("append_rows", history, k, v);
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("kvscope::append_rows", "")
                             .typed<decltype(append_cpu)>();
  op.call(history.keys, history.values, as_array(history.begin), as_array(history.length), k, v);
}

void compact_rows(const RaggedRows& history,
                  const at::Tensor& k,
                  const at::Tensor& v,
                  std::span<const int64_t> kept,
                  std::span<const int64_t> kept_begin) {
  check("compact_rows", history, k, v);
  TORCH_CHECK(kept_begin.size() == history.begin.size() + 1 &&
                  kept_begin.back() == static_cast<int64_t>(kept.size()),
              "compact_rows: kept_begin has ", kept_begin.size(),
              " entries, expected rows * heads + 1 = ", history.begin.size() + 1,
              " ending at the number of kept indices, ", kept.size());
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("kvscope::compact_rows", "")
                             .typed<decltype(compact_cpu)>();
  op.call(history.keys, history.values, as_array(history.begin), as_array(history.length), k, v,
          as_array(kept), as_array(kept_begin));
}

}  // namespace kvscope
