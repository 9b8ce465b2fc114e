#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// Kinds of value that reading a pickle gives.
enum class PickleKind : uint8_t {
  kNone,
  kBool,
  kInteger,
  kText,
  kTuple,
  kList,
  kDictionary,
  kGlobal,   ///< the name of something in Python: a name, nothing that could be called
  kDtype,    ///< such as torch.float8_e4m3fn
  kStorage,  ///< elements in the file, see PickleStorage
  kTensor,   ///< see PickleTensor
  kModule,   ///< an instance of a TorchScript class; its attributes, as of a dictionary
  kOpaque,   ///< anything else: an instance of a class, a float, bytes; holds nothing
};

/// "a list", "a tensor", ...: the kind as messages name it.
std::string_view kind_name(PickleKind kind);

/// A value in PickleData::values; tuples and lists refer to others, so cycles cost nothing.
using PickleHandle = uint32_t;

struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  int64_t number = 0;  ///< kBool, kInteger, kDtype (an at::ScalarType); kStorage, kTensor: index
  std::string_view text = {};  ///< kText; kGlobal: its module. Points into the pickle
  std::string_view name = {};  ///< kGlobal: its name
  std::vector<PickleHandle> items =
      {};  ///< kTuple, kList; kDictionary, kModule: key, value, key...
};

/// What a pickle says of a storage; nothing of it is believed until compared with the file.
struct PickleStorage {
  std::string_view key;
  at::ScalarType dtype = at::kByte;
  int64_t count = 0;  ///< elements
};

/// What a pickle says of a tensor: a strided view of a storage, in elements of `dtype`.
struct PickleTensor {
  size_t storage = 0;
  at::ScalarType dtype = at::kFloat;
  int64_t offset = 0;
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;  ///< as many as sizes, none negative
};

/// The values of a pickle, the last one made being `root`.
struct PickleData {
  std::vector<PickleValue> values;
  std::vector<PickleStorage> storages;
  std::vector<PickleTensor> tensors;
  PickleHandle root = 0;

  [[nodiscard]] const PickleValue& at(PickleHandle handle) const { return values[handle]; }
  /// The value last stored under `key` in a dictionary; null where there is none.
  [[nodiscard]] const PickleValue* find(const PickleValue& dictionary, std::string_view key) const;
};

}  // namespace kvscope
