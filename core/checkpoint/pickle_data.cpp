#include "core/checkpoint/pickle_data.h"

namespace kvscope {

std::string_view kind_name(PickleKind kind) {
  switch (kind) {
    case PickleKind::kNone:
      return "None";
    case PickleKind::kBool:
      return "a boolean";
    case PickleKind::kInteger:
      return "an integer";
    case PickleKind::kText:
      return "a string";
    case PickleKind::kTuple:
      return "a tuple";
    case PickleKind::kList:
      return "a list";
    case PickleKind::kDictionary:
      return "a dictionary";
    case PickleKind::kGlobal:
      return "a class or function";
    case PickleKind::kDtype:
      return "a dtype";
    case PickleKind::kStorage:
      return "a storage";
    case PickleKind::kTensor:
      return "a tensor";
    case PickleKind::kModule:
      return "a TorchScript module";
    case PickleKind::kOpaque:
      return "an object";
  }
  return "a value";
}

const PickleValue* PickleData::find(const PickleValue& dictionary, std::string_view key) const {
  for (size_t i = dictionary.items.size(); i >= 2; i -= 2) {
    const PickleValue& candidate = at(dictionary.items[i - 2]);
    if (candidate.kind == PickleKind::kText && candidate.text == key) {
      return &at(dictionary.items[i - 1]);
    }
  }
  return nullptr;
}

}  // namespace kvscope
