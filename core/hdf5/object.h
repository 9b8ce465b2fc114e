#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/hdf5/handle.h"

namespace kvscope::hdf5 {

/// What an attribute holds: a scalar, a UTF-8 text or a list of numbers.
using AttributeValue =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;

/// What groups and datasets share: a handle, a place for messages, attributes. The file stays open
/// until the last of its objects is gone.
class Object {
 public:
  /// "file.h5:/path/of/object"
  [[nodiscard]] const std::string& where() const { return where_; }

  /// Creates or replaces. Throws Error(kEnvironment) where it cannot be written, Error(kInput) for
  /// a text with a zero byte.
  void set_attribute(const std::string& name, const AttributeValue& value);
  /// Throws Error(kInput) where there is none of that name or it has another kind of value.
  [[nodiscard]] AttributeValue attribute(const std::string& name) const;
  [[nodiscard]] bool has_attribute(const std::string& name) const;
  /// Hands everything written to the file so far to the operating system: it survives kill -9.
  void flush();

 protected:
  Object(Handle handle, std::string where) : handle_(std::move(handle)), where_(std::move(where)) {}
  [[nodiscard]] hid_t id() const { return handle_.id(); }

 private:
  Handle handle_;
  std::string where_;
};

}  // namespace kvscope::hdf5
