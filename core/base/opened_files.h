#pragma once

#include <filesystem>
#include <vector>

namespace kvscope {

/// The data files that this thread opens for reading while it lives: what a result was made of,
/// found by looking instead of by a list of settings. The readers of checkpoints, tokenizers,
/// profiles and YAML files note what they open. An inner one takes over until it ends, and hands
/// its files on.
class OpenedFiles {
 public:
  OpenedFiles();
  ~OpenedFiles();
  OpenedFiles(const OpenedFiles&) = delete;
  OpenedFiles& operator=(const OpenedFiles&) = delete;

  /// Canonical paths, each once, in the order of opening.
  [[nodiscard]] const std::vector<std::filesystem::path>& files() const { return files_; }

  /// Called by readers; costs nothing where nobody listens.
  static void note(const std::filesystem::path& file);

 private:
  std::vector<std::filesystem::path> files_;
  OpenedFiles* outer_ = nullptr;
};

}  // namespace kvscope
