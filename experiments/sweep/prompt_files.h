#pragma once

#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "experiments/sweep/settings.h"

namespace kvscope {

/// Lists of prompts. Files are read once however many points ask for it: what a shell puts in a
/// file's place
/// (`prompts.file=<(head -20 all.txt)`) is empty the second time.
class PromptFiles {
 public:
  /// One prompt per line, with the place of each. Throws Error(kInput) where the file cannot be
  /// read or is not UTF-8.
  const std::vector<Prompt>& of(const std::filesystem::path& file);
  /// The first `images` test captions of the shapes task in the order of `seed`, likewise made once
  /// for all points.
  const std::vector<Prompt>& of_shapes(int64_t seed, int64_t images);

 private:
  std::map<std::filesystem::path, std::vector<Prompt>> read_;
  std::map<std::pair<int64_t, int64_t>, std::vector<Prompt>> shapes_;
};

}  // namespace kvscope
