#include "core/checkpoint/state_dict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "core/base/error.h"

namespace kvscope {
namespace {

// In the order in which they are tried: DDP, DeepSpeed, Lightning, Infinity's autoencoder, the
// training checkpoints of Infinity and VAR.
constexpr std::array kWrapperKeys = std::to_array<std::string_view>(
    {"model", "module", "state_dict", "vae", "trainer", "gpt_fsdp", "var_wo_ddp"});
constexpr int kMaxWrappers = 8;

constexpr std::array kNamePrefixes = std::to_array<std::string_view>({"module.", "_orig_mod."});
constexpr std::array kInsideNames =
    std::to_array<std::string_view>({"_fsdp_wrapped_module.", "_checkpoint_wrapped_module."});

bool holds_tensor(const PickleData& data, const PickleValue& dictionary) {
  for (size_t i = 1; i < dictionary.items.size(); i += 2) {
    if (data.at(dictionary.items[i]).kind == PickleKind::kTensor) return true;
  }
  return false;
}

// The dictionary under the first wrapper key that leads to tensors, or null.
const PickleValue* unwrap(const PickleData& data, const PickleValue& dictionary, int depth) {
  if (depth == kMaxWrappers) return nullptr;
  for (const std::string_view key : kWrapperKeys) {
    const PickleValue* inner = data.find(dictionary, key);
    if (inner == nullptr || inner->kind != PickleKind::kDictionary) continue;
    if (const PickleValue* weights = unwrap(data, *inner, depth + 1)) return weights;
    if (holds_tensor(data, *inner)) return inner;
  }
  return nullptr;
}

std::string keys_of(const PickleData& data, const PickleValue& dictionary) {
  constexpr size_t kShown = 12;
  std::string text;
  size_t shown = 0;
  for (size_t i = 0; i + 1 < dictionary.items.size(); i += 2) {
    const PickleValue& key = data.at(dictionary.items[i]);
    if (key.kind != PickleKind::kText) continue;
    if (++shown > kShown) return text + ", ...";
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", key.text);
  }
  return text.empty() ? "no keys" : text;
}

/// The tensors of a module and of those below it, by their dotted names.
class ModuleTensors {
 public:
  ModuleTensors(const PickleData& data, const std::string& file) : data_(data), file_(file) {}

  std::vector<std::pair<std::string, size_t>> of(const PickleValue& module) {
    visit(module, "");
    return std::move(found_);
  }

 private:
  void visit(const PickleValue& module, const std::string& prefix) {
    // A module may hold itself, or others many times over.
    constexpr size_t kLongestName = 1000;
    constexpr size_t kMostSteps = 1'000'000;
    for (size_t i = 0; i + 1 < module.items.size(); i += 2) {
      if (++steps_ > kMostSteps || prefix.size() > kLongestName) {
        throw Error(ErrorKind::kInput, fmt::format("{}: modules below modules without end", file_));
      }
      const PickleValue& key = data_.at(module.items[i]);
      const PickleValue& value = data_.at(module.items[i + 1]);
      if (key.kind != PickleKind::kText) continue;
      const std::string name = prefix + std::string(key.text);
      if (value.kind == PickleKind::kTensor) {
        found_.emplace_back(name, static_cast<size_t>(value.number));
      } else if (value.kind == PickleKind::kModule) {
        visit(value, name + ".");
      }
    }
  }

  const PickleData& data_;
  const std::string& file_;
  size_t steps_ = 0;
  std::vector<std::pair<std::string, size_t>> found_;
};

}  // namespace

std::vector<std::pair<std::string, size_t>> find_state_dict(const PickleData& data,
                                                            const std::string& file) {
  const PickleValue& root = data.at(data.root);
  const std::string expected = fmt::format(
      "expected a dictionary of named tensors, bare or under {}", fmt::join(kWrapperKeys, ", "));
  if (root.kind == PickleKind::kModule) {
    std::vector<std::pair<std::string, size_t>> found = ModuleTensors(data, file).of(root);
    if (!found.empty()) return found;
  }
  if (root.kind != PickleKind::kDictionary) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: the file holds {}; {}", file, kind_name(root.kind), expected));
  }
  const PickleValue* weights = unwrap(data, root, 0);
  if (weights == nullptr && holds_tensor(data, root)) weights = &root;
  if (weights == nullptr) {
    throw Error(ErrorKind::kInput, fmt::format("{}: found {} and no tensors; {}", file,
                                               keys_of(data, root), expected));
  }
  std::vector<std::pair<std::string, size_t>> result;
  for (size_t i = 0; i + 1 < weights->items.size(); i += 2) {
    const PickleValue& key = data.at(weights->items[i]);
    const PickleValue& value = data.at(weights->items[i + 1]);
    if (key.kind != PickleKind::kText || value.kind != PickleKind::kTensor) continue;
    result.emplace_back(key.text, static_cast<size_t>(value.number));
  }
  return result;
}

TensorMap without_wrappers(const TensorMap& tensors) {
  std::vector<std::string> names = tensors.names();
  for (std::string& name : names) {
    for (const std::string_view inside : kInsideNames) {
      for (size_t at = name.find(inside); at != name.npos; at = name.find(inside)) {
        name.erase(at, inside.size());
      }
    }
  }
  bool again = !names.empty();
  while (again) {
    again = false;
    for (const std::string_view prefix : kNamePrefixes) {
      const auto begins = [prefix](const std::string& name) {
        return name.size() > prefix.size() && name.starts_with(prefix);
      };
      if (!std::ranges::all_of(names, begins)) continue;
      for (std::string& name : names) name.erase(0, prefix.size());
      again = true;
    }
  }
  TensorMap result;
  size_t i = 0;
  for (const auto& [old_name, tensor] : tensors) {
    if (result.contains(names[i])) {
      throw Error(ErrorKind::kInput,
                  fmt::format("tensor '{}' is there twice, once as '{}'", names[i], old_name));
    }
    result.set(names[i++], tensor);
  }
  return result;
}

}  // namespace kvscope
