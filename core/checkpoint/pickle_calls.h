#pragma once

#include <string>
#include <string_view>

#include "core/checkpoint/pickle_data.h"

namespace kvscope {

/// What the names in a tensor file's pickle mean. Every function throws Error(kInput) with `where`
/// in front where the pickle asks for anything that is not known to be harmless.
class PickleCalls {
 public:
  explicit PickleCalls(PickleData& data) : data_(data) {}

  /// The value that the Python name module.name stands for.
  [[nodiscard]] PickleValue global(std::string_view module,
                                   std::string_view name,
                                   const std::string& where) const;
  /// What calling `callable` (kGlobal) with `arguments` (kTuple) would give.
  PickleValue call(const PickleValue& callable,
                   const PickleValue& arguments,
                   const std::string& where);
  /// A new instance of the class `type` (kGlobal): opaque unless it is a dictionary.
  PickleValue instance(const PickleValue& type,
                       const PickleValue& arguments,
                       const std::string& where);
  /// The storage that a persistent id ("storage", type, key, location, count) names.
  PickleValue storage(const PickleValue& id, const std::string& where);

 private:
  const PickleValue& argument(const PickleValue& arguments,
                              size_t index,
                              PickleKind kind,
                              const std::string& where) const;
  [[nodiscard]] std::vector<int64_t> numbers(const PickleValue& tuple,
                                             const std::string& where) const;
  PickleValue rebuilt_tensor(const PickleValue& arguments,
                             bool own_dtype,
                             const std::string& where);
  PickleValue dictionary(const PickleValue& arguments) const;

  PickleData& data_;
};

}  // namespace kvscope
