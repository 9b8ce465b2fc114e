#pragma once

#include <filesystem>
#include <map>
#include <vector>

#include "experiments/sweep/settings.h"

namespace kvscope {

/// Prompt files, each read once however many points ask for it: what a shell puts in a file's place
/// (`prompts.file=<(head -20 all.txt)`) is empty the second time.
class PromptFiles {
 public:
  /// One prompt per line, with the place of each. Throws Error(kInput) where the file cannot be
  /// read or is not UTF-8.
  const std::vector<Prompt>& of(const std::filesystem::path& file);

 private:
  std::map<std::filesystem::path, std::vector<Prompt>> read_;
};

}  // namespace kvscope
