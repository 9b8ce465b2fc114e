#include "tests/fake_device/fake_device.h"

#include <ATen/EmptyTensor.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <torch/library.h>

#include <optional>
#include <string>

#include "tests/fake_device/cpu_aliases.h"
#include "tests/fake_device/device_guard.h"
#include "tests/fake_device/device_memory.h"
#include "tests/fake_device/device_rules.h"

namespace kvscope {
namespace {

constexpr c10::DispatchKey kKey = c10::DispatchKey::PrivateUse1;

/// Every operator that is not below: checks as CUDA does, then calls the CPU's body on aliases.
void run_on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const c10::FunctionSchema& schema = op.schema();
  const auto arguments = static_cast<std::ptrdiff_t>(schema.arguments().size());
  check_as_cuda_does(schema, stack->cend() - arguments);
  CpuAliases aliases;
  for (auto value = stack->end() - arguments; value != stack->end(); ++value) {
    *value = aliases.alias(*value);
  }
  {
    const at::AutoDispatchBelowADInplaceOrView below;
    op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  }
  aliases.follow_resizes();
  const auto results = static_cast<std::ptrdiff_t>(schema.returns().size());
  for (auto value = stack->end() - results; value != stack->end(); ++value) {
    *value = aliases.original(*value);
  }
}

at::Tensor empty(at::IntArrayRef sizes,
                 std::optional<at::ScalarType> type,
                 std::optional<at::Layout> /*layout*/,
                 std::optional<at::Device> /*device*/,
                 std::optional<bool> /*pin_memory*/,
                 std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(sizes, &device_memory(), c10::DispatchKeySet(kKey),
                                   c10::dtype_or_default(type), format);
}

at::Tensor empty_strided(at::IntArrayRef sizes,
                         at::IntArrayRef strides,
                         std::optional<at::ScalarType> type,
                         std::optional<at::Layout> /*layout*/,
                         std::optional<at::Device> /*device*/,
                         std::optional<bool> /*pin_memory*/) {
  return at::detail::empty_strided_generic(sizes, strides, &device_memory(),
                                           c10::DispatchKeySet(kKey), c10::dtype_or_default(type));
}

/// Within the device, to it and from it.
at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool /*non_blocking*/) {
  CpuAliases aliases;
  aliases.alias(to).copy_(aliases.alias(from));
  return to;
}

void grow_storage(const at::Tensor& tensor) {
  const size_t bytes =
      tensor.numel() == 0
          ? 0
          : at::detail::computeStorageNbytes(tensor.sizes(), tensor.strides(),
                                             tensor.dtype().itemsize(), tensor.storage_offset());
  if (bytes > tensor.storage().nbytes()) resize_device_storage(tensor.storage(), bytes);
}

const at::Tensor& resize(const at::Tensor& self,
                         at::IntArrayRef sizes,
                         std::optional<at::MemoryFormat> format) {
  c10::TensorImpl* impl = self.unsafeGetTensorImpl();
  at::native::resize_impl_cpu_(impl, sizes, std::nullopt, /*resize_storage=*/false);
  if (format) impl->empty_tensor_restride(*format);
  grow_storage(self);
  return self;
}

at::Tensor& set_storage(at::Tensor& self,
                        at::Storage source,
                        int64_t offset,
                        at::IntArrayRef sizes,
                        at::IntArrayRef strides) {
  at::native::checkSetStorage(self, source, offset, sizes, strides);
  c10::TensorImpl* impl = self.unsafeGetTensorImpl();
  impl->set_storage_offset(offset);
  const at::OptionalIntArrayRef given =
      strides.data() == nullptr ? at::OptionalIntArrayRef() : at::OptionalIntArrayRef(strides);
  at::native::resize_impl_cpu_(impl, sizes, given, /*resize_storage=*/false);
  grow_storage(self);
  return self;
}

/// What makes, views or resizes tensors without touching an element, and the copies between
/// devices.
void register_native_operators(torch::Library& aten) {
  aten.impl("empty.memory_format", &empty);
  aten.impl("empty_strided", &empty_strided);
  aten.impl("as_strided", &at::native::as_strided_tensorimpl);
  aten.impl("view", TORCH_FN(at::native::view));
  aten.impl("_reshape_alias", &at::native::_reshape_alias);
  aten.impl("unfold", &at::native::unfold);
  aten.impl("resize_", &resize);
  aten.impl("set_.source_Storage_storage_offset", &set_storage);
  aten.impl("set_.source_Storage",
            static_cast<at::Tensor& (*)(at::Tensor&, at::Storage)>(&at::native::set_));
  aten.impl("set_.source_Tensor", &at::native::set_tensor_);
  aten.impl("_copy_from", &copy_from);
}

// One by one, as LibTorch would prefer its general bodies to a fallback: they check less, name
// other operators, and differ from the CPU's in the last bits.
void register_cpu_operators(torch::Library& aten) {
  const auto run = [&aten](const std::string& name) {
    aten.impl(name.c_str(), torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>());
  };
  c10::Dispatcher& dispatcher = c10::Dispatcher::singleton();
  for (const c10::OperatorName& name :
       dispatcher.getAllOpNamesForDispatchKey(c10::DispatchKey::CPU)) {
    if (name.getNamespace() != "aten" || is_composite_on_cuda(name.name)) continue;
    if (!dispatcher.findOp(name)->hasKernelForDispatchKey(kKey)) run(c10::toString(name));
  }
  // Their general bodies look for a device they know.
  run("aten::convolution");
  run("aten::convolution_backward");
}

/// What LibTorch has been told, as long as this lives.
struct Registration {
  torch::Library aten{torch::Library::IMPL, "aten", kKey, __FILE__, __LINE__};
  torch::Library all{torch::Library::IMPL, "_", kKey, __FILE__, __LINE__};

  Registration() {
    c10::SetAllocator(c10::kPrivateUse1, &device_memory());
    register_device_guard();
    register_native_operators(aten);
    register_cpu_operators(aten);
    all.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>());
  }
};

}  // namespace

c10::Device open_fake_device() {
  static const auto* registration = new Registration;  // tensors may outlive main()
  (void)registration;
  return {c10::kPrivateUse1, 0};
}

int64_t fake_device_synchronisations() {
  return device_synchronisations();
}

}  // namespace kvscope
