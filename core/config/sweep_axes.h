#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/config/override.h"
#include "core/config/repository.h"

namespace kvscope {

/// One axis of a grid: what a key may be, or several keys that go in step, as override texts.
struct SweepAxis {
  std::string name{};               ///< key with prefix and package, or the name of a zip(..)
  std::vector<std::string> keys{};  ///< that it sets, with package
  std::vector<std::vector<std::string>> points{};  ///< a text a key each
  bool is_typed = false;                           ///< on the command line, not in a config
};

/// What globs are expanded over.
struct GlobScope {
  const ConfigRepository& repository;
  /// The words that a key may be; may be empty.
  const std::function<std::vector<std::string>(const std::string&)>& words_of_key;
};

/// The axis of an override. Throws Error(kConfig) for a glob over what has no options, or members
/// of a zip(..) of different lengths.
SweepAxis axis_of(const Override& override, const GlobScope& scope);

/// Puts an axis among others. What is typed takes the place of what a config says of the same key,
/// one of a zip(..), too; of two typed axes with one name the last counts. Throws Error(kConfig)
/// where two axes of one origin set the same key.
void add_axis(std::vector<SweepAxis>& axes, SweepAxis axis);

/// Every combination of the axes' points, the first axis slowest. Throws Error(kConfig) for more
/// than a million.
std::vector<std::vector<std::string>> product_of(const std::vector<SweepAxis>& axes);

}  // namespace kvscope
