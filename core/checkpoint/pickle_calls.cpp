#include "core/checkpoint/pickle_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr size_t kMaxDimensions = 16;
constexpr size_t kMaxTensors = 300'000;

using Named = std::pair<std::string_view, at::ScalarType>;

constexpr std::array kStorageTypes = std::to_array<Named>({
    {"DoubleStorage", at::kDouble},
    {"FloatStorage", at::kFloat},
    {"HalfStorage", at::kHalf},
    {"BFloat16Storage", at::kBFloat16},
    {"LongStorage", at::kLong},
    {"IntStorage", at::kInt},
    {"ShortStorage", at::kShort},
    {"CharStorage", at::kChar},
    {"ByteStorage", at::kByte},
    {"BoolStorage", at::kBool},
    {"ComplexFloatStorage", at::kComplexFloat},
    {"ComplexDoubleStorage", at::kComplexDouble},
    {"UntypedStorage", at::kByte},
});

constexpr std::array kDtypes = std::to_array<Named>({
    {"float64", at::kDouble},
    {"double", at::kDouble},
    {"float32", at::kFloat},
    {"float", at::kFloat},
    {"float16", at::kHalf},
    {"half", at::kHalf},
    {"bfloat16", at::kBFloat16},
    {"int64", at::kLong},
    {"int32", at::kInt},
    {"int16", at::kShort},
    {"int8", at::kChar},
    {"uint8", at::kByte},
    {"uint16", at::kUInt16},
    {"uint32", at::kUInt32},
    {"uint64", at::kUInt64},
    {"bool", at::kBool},
    {"complex64", at::kComplexFloat},
    {"complex128", at::kComplexDouble},
    {"float8_e4m3fn", at::kFloat8_e4m3fn},
    {"float8_e5m2", at::kFloat8_e5m2},
});

// Modules no tensor file has a reason to name: a file that does is not read further.
constexpr std::array kForeignModules = std::to_array<std::string_view>(
    {"os", "posix", "nt", "sys", "subprocess", "runpy", "importlib", "ctypes", "socket"});

// Calls whose result is plain data that no weight depends on.
constexpr std::array kOpaqueCalls = std::to_array<std::string_view>({
    "torch.device",
    "torch.serialization._get_layout",
    "torch.jit._pickle.build_intlist",
    "torch.jit._pickle.build_doublelist",
    "torch.jit._pickle.build_boollist",
    "torch.jit._pickle.build_tensorlist",
    "torch.jit._pickle.restore_type_tag",
    "_codecs.encode",
    "builtins.set",
    "builtins.frozenset",
    "builtins.bytearray",
    "builtins.complex",
    "builtins.range",
    "builtins.slice",
    "__builtin__.set",
    "__builtin__.frozenset",
    "__builtin__.bytearray",
    "__builtin__.complex",
    "copyreg._reconstructor",
    "copy_reg._reconstructor",
    "argparse.Namespace",
    "types.SimpleNamespace",
    "collections.deque",
    "datetime.datetime",
    "datetime.date",
    "datetime.timedelta",
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib.PurePosixPath",
    "pathlib.WindowsPath",
    "pathlib.PureWindowsPath",
    "pathlib._local.PosixPath",
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
});

constexpr std::array kDictionaries =
    std::to_array<std::string_view>({"collections.OrderedDict", "collections.defaultdict",
                                     "collections.Counter", "builtins.dict", "__builtin__.dict"});

template <typename List>
bool contains(const List& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

std::string full_name(const PickleValue& global) {
  return fmt::format("{}.{}", global.text, global.name);
}

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::kInput, where + what);
}

// One of the classes that hold plain data, so that naming Python's own functions is not.
bool plain_builtin(std::string_view name) {
  constexpr std::array kPlain = std::to_array<std::string_view>(
      {"set", "frozenset", "bytearray", "bytes", "complex", "range", "xrange", "slice", "dict",
       "list", "tuple", "int", "long", "float", "bool", "str", "unicode", "object"});
  return contains(kPlain, name);
}

}  // namespace

PickleValue PickleCalls::global(std::string_view module,
                                std::string_view name,
                                const std::string& where) const {
  const std::string_view top = module.substr(0, module.find('.'));
  const bool builtin = top == "builtins" || top == "__builtin__";
  if (contains(kForeignModules, top) || (builtin && !plain_builtin(name))) {
    refuse(where, fmt::format("names '{}.{}', which no tensor file needs; nothing of it was run",
                              module, name));
  }
  if (module == "torch") {
    const auto dtype = std::ranges::find(kDtypes, name, &Named::first);
    if (dtype != kDtypes.end()) {
      return {.kind = PickleKind::kDtype, .number = static_cast<int64_t>(dtype->second)};
    }
  }
  return {.kind = PickleKind::kGlobal, .text = module, .name = name};
}

const PickleValue& PickleCalls::argument(const PickleValue& arguments,
                                         size_t index,
                                         PickleKind kind,
                                         const std::string& where) const {
  if (index >= arguments.items.size()) {
    refuse(where, fmt::format("expected {} as argument {}, found only {} arguments",
                              kind_name(kind), index, arguments.items.size()));
  }
  const PickleValue& value = data_.at(arguments.items[index]);
  if (value.kind != kind) {
    refuse(where, fmt::format("expected {} as argument {}, found {}", kind_name(kind), index,
                              kind_name(value.kind)));
  }
  return value;
}

std::vector<int64_t> PickleCalls::numbers(const PickleValue& tuple,
                                          const std::string& where) const {
  if (tuple.items.size() > kMaxDimensions) {
    refuse(where, fmt::format("a tensor of {} dimensions; at most {} are read", tuple.items.size(),
                              kMaxDimensions));
  }
  std::vector<int64_t> result;
  for (const PickleHandle item : tuple.items) {
    const PickleValue& value = data_.at(item);
    if (value.kind != PickleKind::kInteger || value.number < 0) {
      refuse(where,
             fmt::format("sizes and strides are integers from 0 on, found {}",
                         value.kind == PickleKind::kInteger ? std::to_string(value.number)
                                                            : std::string(kind_name(value.kind))));
    }
    result.push_back(value.number);
  }
  return result;
}

PickleValue PickleCalls::rebuilt_tensor(const PickleValue& arguments,
                                        bool own_dtype,
                                        const std::string& where) {
  if (data_.tensors.size() == kMaxTensors) {
    refuse(where, fmt::format("more than {} tensors", kMaxTensors));
  }
  const auto storage =
      static_cast<size_t>(argument(arguments, 0, PickleKind::kStorage, where).number);
  PickleTensor tensor{.storage = storage,
                      .dtype = data_.storages[storage].dtype,
                      .offset = argument(arguments, 1, PickleKind::kInteger, where).number,
                      .sizes = numbers(argument(arguments, 2, PickleKind::kTuple, where), where),
                      .strides = numbers(argument(arguments, 3, PickleKind::kTuple, where), where)};
  if (own_dtype) {
    tensor.dtype =
        static_cast<at::ScalarType>(argument(arguments, 6, PickleKind::kDtype, where).number);
  }
  if (tensor.offset < 0 || tensor.sizes.size() != tensor.strides.size()) {
    refuse(where, fmt::format("a tensor of {} sizes and {} strides at offset {}",
                              tensor.sizes.size(), tensor.strides.size(), tensor.offset));
  }
  // Bits beside the data that turn its sign or its conjugate: values would be wrong without them.
  const size_t metadata = own_dtype ? 7 : 6;
  if (arguments.items.size() > metadata) {
    const PickleValue& bits = data_.at(arguments.items[metadata]);
    for (size_t i = 1; i < bits.items.size(); i += 2) {
      const PickleValue& bit = data_.at(bits.items[i]);
      if (bit.kind == PickleKind::kBool && bit.number != 0) {
        refuse(where, "a tensor with a conjugate or negative bit; resolve it before saving");
      }
    }
  }
  data_.tensors.push_back(std::move(tensor));
  return {.kind = PickleKind::kTensor, .number = static_cast<int64_t>(data_.tensors.size()) - 1};
}

// OrderedDict() or, from old Pythons, OrderedDict([[key, value], ...]).
PickleValue PickleCalls::dictionary(const PickleValue& arguments) const {
  PickleValue result{.kind = PickleKind::kDictionary};
  if (arguments.items.empty()) return result;
  const PickleValue& pairs = data_.at(arguments.items.front());
  if (pairs.kind != PickleKind::kList && pairs.kind != PickleKind::kTuple) return result;
  for (const PickleHandle handle : pairs.items) {
    const PickleValue& pair = data_.at(handle);
    const bool sequence = pair.kind == PickleKind::kList || pair.kind == PickleKind::kTuple;
    if (sequence && pair.items.size() == 2) {
      result.items.insert(result.items.end(), pair.items.begin(), pair.items.end());
    }
  }
  return result;
}

PickleValue PickleCalls::call(const PickleValue& callable,
                              const PickleValue& arguments,
                              const std::string& where) {
  if (arguments.kind != PickleKind::kTuple) {
    refuse(where,
           fmt::format("expected a tuple of arguments, found {}", kind_name(arguments.kind)));
  }
  if (callable.kind != PickleKind::kGlobal) {
    refuse(where, fmt::format("asks to call {}", kind_name(callable.kind)));
  }
  const std::string name = full_name(callable);
  if (name == "torch._utils._rebuild_tensor_v2" || name == "torch._utils._rebuild_tensor") {
    return rebuilt_tensor(arguments, false, where);
  }
  if (name == "torch._utils._rebuild_tensor_v3") return rebuilt_tensor(arguments, true, where);
  if (name == "torch._utils._rebuild_parameter" ||
      name == "torch._utils._rebuild_parameter_with_state") {
    return argument(arguments, 0, PickleKind::kTensor, where);
  }
  if (name == "torch._tensor._rebuild_from_type_v2") {
    const PickleValue& function = argument(arguments, 0, PickleKind::kGlobal, where);
    if (full_name(function) == name) refuse(where, "a tensor rebuilt of itself");
    return call(function, argument(arguments, 2, PickleKind::kTuple, where), where);
  }
  if (name == "torch.Size") {
    if (arguments.items.empty()) return arguments;
    return argument(arguments, 0, PickleKind::kTuple, where);
  }
  if (contains(kDictionaries, name)) return dictionary(arguments);
  if (contains(kOpaqueCalls, name)) {
    return {.kind = PickleKind::kOpaque};
  }
  refuse(where, fmt::format("asks to call '{}', which is never done: tensors and plain data only. "
                            "Save the state dict alone, or as safetensors",
                            name));
}

PickleValue PickleCalls::instance(const PickleValue& type,
                                  const PickleValue& arguments,
                                  const std::string& where) {
  if (type.kind != PickleKind::kGlobal || arguments.kind != PickleKind::kTuple) {
    refuse(where, fmt::format("expected a class and a tuple of arguments, found {} and {}",
                              kind_name(type.kind), kind_name(arguments.kind)));
  }
  const std::string name = full_name(type);
  if (contains(kDictionaries, name) || name == "torch.Size") return call(type, arguments, where);
  if (type.text.starts_with("__torch__")) return {.kind = PickleKind::kModule};
  return {.kind = PickleKind::kOpaque};
}

PickleValue PickleCalls::storage(const PickleValue& id, const std::string& where) {
  if (id.kind != PickleKind::kTuple) {
    refuse(where, fmt::format("a persistent id is a tuple, found {}", kind_name(id.kind)));
  }
  if (argument(id, 0, PickleKind::kText, where).text != "storage") {
    refuse(where, "a persistent id names a storage and nothing else");
  }
  const PickleValue& type = argument(id, 1, PickleKind::kGlobal, where);
  const auto known = std::ranges::find(kStorageTypes, type.name, &Named::first);
  if (known == kStorageTypes.end() || (type.text != "torch" && type.text != "torch.storage")) {
    refuse(where, fmt::format("unknown storage type '{}'", full_name(type)));
  }
  const PickleValue& count = argument(id, 4, PickleKind::kInteger, where);
  if (count.number < 0) refuse(where, fmt::format("a storage of {} elements", count.number));
  data_.storages.push_back({.key = argument(id, 2, PickleKind::kText, where).text,
                            .dtype = known->second,
                            .count = count.number});
  return {.kind = PickleKind::kStorage, .number = static_cast<int64_t>(data_.storages.size()) - 1};
}

}  // namespace kvscope
