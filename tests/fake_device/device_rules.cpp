#include "tests/fake_device/device_rules.h"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <set>
#include <string_view>

namespace kvscope {
namespace {

using Names = std::set<std::string, std::less<>>;

/// Where a CPU tensor without dimensions stands for a number: the element-wise operators whose CUDA
/// bodies leave the check to TensorIterator, as read from the names in PyTorch 2.11's
/// libtorch_cuda.so. All others check every tensor.
const Names& taking_cpu_numbers() {
  static const Names names{"add",          "addcdiv",
                           "addcmul",      "atan2",
                           "bitwise_and",  "bitwise_left_shift",
                           "bitwise_or",   "bitwise_right_shift",
                           "bitwise_xor",  "copysign",
                           "div",          "eq",
                           "floor_divide", "fmax",
                           "fmin",         "fmod",
                           "ge",           "gt",
                           "heaviside",    "hypot",
                           "index_fill",   "_index_put_impl_",
                           "le",           "lerp",
                           "logical_and",  "logical_or",
                           "logical_xor",  "lt",
                           "masked_fill",  "maximum",
                           "minimum",      "mul",
                           "ne",           "pow",
                           "remainder",    "rsub",
                           "sub",          "where",
                           "xlogy"};
  return names;
}

/// Where lists of indices may be on the CPU: CUDA uploads them.
const Names& taking_cpu_indices() {
  static const Names names{"index", "_index_put_impl_"};
  return names;
}

/// ATen operators whose header says CPU but not CUDA, and that have no general body.
const Names& lacking_cuda() {
  static const Names names{"histogram", "_histogramdd_bin_edges", "_histogramdd_from_bin_cts",
                           "from_file", "slow_conv3d_forward",    "_histogramdd_from_bin_tensors"};
  return names;
}

/// cuBLAS and cuDNN have no integers.
const Names& of_floating_numbers() {
  static const Names names{"addmm", "addmv", "baddbmm", "bmm", "convolution", "dot", "mm"};
  return names;
}

/// "add" of aten::add_ and aten::add; another library's operators as they are.
std::string_view base_name(const c10::FunctionSchema& schema) {
  std::string_view name = schema.name();
  constexpr std::string_view kAten = "aten::";
  if (!name.starts_with(kAten)) return name;
  name.remove_prefix(kAten.size());
  if (name == "_index_put_impl_") return name;  // its underscore belongs to it
  if (name.ends_with('_')) name.remove_suffix(1);
  return name;
}

class Check {
 public:
  explicit Check(const c10::FunctionSchema& schema)
      : schema_(schema),
        name_(base_name(schema)),
        takes_cpu_numbers_(taking_cpu_numbers().contains(name_)),
        takes_cpu_indices_(taking_cpu_indices().contains(name_)) {
    TORCH_CHECK_NOT_IMPLEMENTED(!lacking_cuda().contains(name_), "Could not run '",
                                schema.operator_name(),
                                "' with arguments from the 'CUDA' backend: it has no CUDA body");
  }

  void argument(size_t i, const c10::IValue& value) const {
    if (value.isTensor()) {
      tensor(i, value.toTensor(), takes_cpu_numbers_);
    } else if (value.isTensorList()) {
      for (const at::Tensor& item : value.toTensorVector()) tensor(i, item, false);
    } else if (value.isOptionalTensorList() && !takes_cpu_indices_) {
      for (const std::optional<at::Tensor>& item : value.toOptionalTensorVector()) {
        if (item) tensor(i, *item, false);
      }
    } else if (value.isGenerator()) {
      const c10::DeviceType type = value.toGenerator().device().type();
      TORCH_CHECK(type == c10::kPrivateUse1, schema_.operator_name(),
                  ": Expected a 'privateuseone' device type for generator but found '",
                  c10::DeviceTypeName(type, true), "'");
    }
  }

 private:
  void tensor(size_t i, const at::Tensor& tensor, bool may_be_number) const {
    if (!tensor.defined()) return;
    TORCH_CHECK_NOT_IMPLEMENTED(
        !of_floating_numbers().contains(name_) || !c10::isIntegralType(tensor.scalar_type(), true),
        schema_.operator_name(), ": \"", name_, "_cuda\" not implemented for '",
        tensor.scalar_type(), "'");
    if (tensor.device().type() == c10::kPrivateUse1) return;
    if (may_be_number && tensor.dim() == 0) return;
    TORCH_CHECK(false, "Expected all tensors to be on the same device, but argument ", i + 1, " (",
                schema_.arguments()[i].name(), ") of ", schema_.operator_name(), " is on ",
                tensor.device(), ", others on privateuseone:0");
  }

  const c10::FunctionSchema& schema_;
  std::string_view name_;
  bool takes_cpu_numbers_;
  bool takes_cpu_indices_;
};

}  // namespace

void check_as_cuda_does(const c10::FunctionSchema& schema,
                        torch::jit::Stack::const_iterator first) {
  const Check check(schema);
  for (size_t i = 0; i < schema.arguments().size(); ++i, ++first) check.argument(i, *first);
}

bool is_composite_on_cuda(const std::string& name) {
  static const Names names{"aten::_stack", "aten::narrow_copy", "aten::native_channel_shuffle",
                           "aten::pixel_shuffle", "aten::pixel_unshuffle"};
  return names.contains(name);
}

}  // namespace kvscope
