#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/hdf5/dataset.h"
#include "core/hdf5/object.h"

namespace kvscope::hdf5 {

/// A folder of groups, datasets and single texts. Names may hold slashes to reach further down;
/// groups between are created. Every error names the file and the object.
class Group : public Object {
 public:
  /// Opens the group `name`, creating it where it is missing.
  Group create_group(const std::string& name);
  /// Throws Error(kInput) naming the nearest name where there is no such group.
  [[nodiscard]] Group group(const std::string& name) const;

  /// Throws Error(kEnvironment) where it exists already or cannot be written.
  Dataset create_dataset(const std::string& name, const DatasetLayout& layout);
  /// Throws Error(kInput) naming the nearest name where there is no such dataset.
  [[nodiscard]] Dataset dataset(const std::string& name) const;

  /// One UTF-8 text of any length (a resolved configuration, a report).
  void write_text(const std::string& name, const std::string& text);
  [[nodiscard]] std::string read_text(const std::string& name) const;

  [[nodiscard]] bool contains(const std::string& name) const;
  /// What lies directly in this group, sorted.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  friend class File;
  Group(Handle handle, std::string where) : Object(std::move(handle), std::move(where)) {}
  [[nodiscard]] std::string place_of(const std::string& name) const;
  void require(const std::string& name) const;
};

}  // namespace kvscope::hdf5
