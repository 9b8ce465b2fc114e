#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kvscope {

/// Where results came from: program, sources, machine, weights. The same run twice gives the same
/// text: no clock is in it.
struct Provenance {
  std::string command_line{};
  std::string device{};
  std::string gpu{};                 ///< its name; empty: none is used
  std::optional<int64_t> threads{};  ///< as the configuration says; none: those of this process
  std::vector<std::pair<std::string, std::string>> digests{};  ///< "model.weights" -> SHA-256
};

/// What a result file keeps: version, git commit that the program was built from, or else of the
/// sources around `root` where there is one, command line, CPU, cores, LibTorch, device, GPU,
/// digests.
std::string manifest_json(const Provenance& provenance, const std::filesystem::path& root);

/// Commit that .git below `folder` points to, read without git; empty where there is none.
std::string git_commit(const std::filesystem::path& folder);

}  // namespace kvscope
