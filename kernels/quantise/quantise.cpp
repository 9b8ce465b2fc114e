#include "kernels/quantise/quantise.h"

#include <torch/library.h>

#include "kernels/quantise/dequantise_cpu.h"
#include "kernels/quantise/quantise_cpu.h"
#include "kernels/ragged/checks.h"

namespace kvscope {
namespace {

TORCH_LIBRARY_FRAGMENT(kvscope, library) {
  library.def(
      "quantise(Tensor x, int[] source, Tensor(a!) codes, Tensor(b!) scale, Tensor(c!) minimum, "
      "int[] target, int bits, int group) -> Tensor");
  library.def(
      "dequantise(Tensor codes, Tensor scale, Tensor minimum, int[] source, Tensor(a!) x, "
      "int[] target, int bits, int group) -> ()");
}

TORCH_LIBRARY_IMPL(kvscope, CPU, library) {
  library.impl("quantise", &quantise_cpu);
  library.impl("dequantise", &dequantise_cpu);
}

void check_numbers(const char* op, const char* name, const at::Tensor& tensor) {
  TORCH_CHECK(tensor.dim() == 3, op, ": ", name, " has shape ", tensor.sizes(),
              ", expected [items, lanes, elements]");
  TORCH_CHECK(tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16 ||
                  tensor.scalar_type() == at::kHalf,
              op, ": ", name, " is ", tensor.scalar_type(),
              ", expected float32, bfloat16 or float16");
}

void check_indices(const char* op,
                   const char* name,
                   std::span<const int64_t> indices,
                   int64_t items) {
  for (const int64_t index : indices) {
    TORCH_CHECK(index >= 0 && index < items, op, ": ", name, " index ", index, " is outside [0, ",
                items, ")");
  }
}

void check_lines(const char* op, const at::Tensor& x, const PackedLines& lines) {
  TORCH_CHECK(lines.bits == 2 || lines.bits == 4 || lines.bits == 8, op, ": bits is ", lines.bits,
              ", expected 2, 4 or 8");
  TORCH_CHECK(lines.group >= 1, op, ": group is ", lines.group, ", expected at least 1");
  check_numbers(op, "x", x);
  check_numbers(op, "scale", lines.scale);
  check_numbers(op, "minimum", lines.minimum);
  const int64_t words = code_words(x.size(2), lines.bits);
  TORCH_CHECK(lines.codes.dim() == 3 && lines.codes.scalar_type() == at::kInt &&
                  lines.codes.size(1) == x.size(1) && lines.codes.size(2) == words,
              op, ": codes are ", lines.codes.scalar_type(), " ", lines.codes.sizes(),
              ", expected int32 [items, ", x.size(1), ", ", words, "]");
  const int64_t groups = group_count(x.size(2), lines.group);
  for (const at::Tensor* tensor : {&lines.scale, &lines.minimum}) {
    TORCH_CHECK(tensor->size(0) == lines.codes.size(0) && tensor->size(1) == x.size(1) &&
                    tensor->size(2) == groups && tensor->scalar_type() == lines.scale.scalar_type(),
                op, ": scale and minimum are ", lines.scale.sizes(), " and ", lines.minimum.sizes(),
                ", expected both [", lines.codes.size(0), ", ", x.size(1), ", ", groups,
                "] of one type");
  }
  TORCH_CHECK(lines.codes.device() == x.device() && lines.scale.device() == x.device() &&
                  lines.minimum.device() == x.device(),
              op, ": codes are on ", lines.codes.device(), ", x on ", x.device());
}

}  // namespace

at::Tensor quantise(const at::Tensor& x,
                    std::span<const int64_t> source,
                    const PackedLines& to,
                    std::span<const int64_t> target) {
  check_lines("quantise", x, to);
  TORCH_CHECK(source.size() == target.size(), "quantise: ", source.size(), " sources and ",
              target.size(), " targets");
  check_indices("quantise", "source", source, x.size(0));
  check_indices("quantise", "target", target, to.codes.size(0));
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("kvscope::quantise", "")
                             .typed<decltype(quantise_cpu)>();
  return op.call(x, as_array(source), to.codes, to.scale, to.minimum, as_array(target), to.bits,
                 to.group);
}

void dequantise(const PackedLines& from,
                std::span<const int64_t> source,
                const at::Tensor& x,
                std::span<const int64_t> target) {
  check_lines("dequantise", x, from);
  TORCH_CHECK(source.size() == target.size(), "dequantise: ", source.size(), " sources and ",
              target.size(), " targets");
  check_indices("dequantise", "source", source, from.codes.size(0));
  check_indices("dequantise", "target", target, x.size(0));
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("kvscope::dequantise", "")
                             .typed<decltype(dequantise_cpu)>();
  op.call(from.codes, from.scale, from.minimum, as_array(source), x, as_array(target), from.bits,
          from.group);
}

}  // namespace kvscope
