#pragma once

#include <string>
#include <utility>
#include <vector>

namespace kvscope {

/// What this program was built from; cmake/BuildInfo.cmake writes its source.
struct BuildInfo {
  std::string commit{};   ///< of the sources; empty where they were in no git repository
  bool is_dirty = false;  ///< whether tracked files were other than in the commit
  std::string compiler{};
  std::string flags{};
  std::vector<std::pair<std::string, std::string>> libraries{};  ///< (name, version)
};

const BuildInfo& build_info();

}  // namespace kvscope
