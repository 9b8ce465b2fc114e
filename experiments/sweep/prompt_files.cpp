#include "experiments/sweep/prompt_files.h"

#include <fmt/format.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>

#include "analysis/shapes/caption.h"
#include "analysis/shapes/split.h"
#include "core/base/error.h"
#include "core/text/text_input.h"

namespace kvscope {

const std::vector<Prompt>& PromptFiles::of(const std::filesystem::path& file) {
  if (const auto known = read_.find(file); known != read_.end()) return known->second;
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file)) {
    throw Error(ErrorKind::kInput, fmt::format("prompts.file={}: cannot be read", file.string()));
  }
  std::istringstream text(text_input({std::istreambuf_iterator<char>(stream), {}}, file.string()));
  std::vector<Prompt> prompts;
  int64_t number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    prompts.push_back({.text = line, .place = fmt::format("{}:{}", file.string(), number)});
  }
  return read_.emplace(file, std::move(prompts)).first->second;
}

const std::vector<Prompt>& PromptFiles::of_shapes(int64_t seed, int64_t images) {
  const auto [found, is_new] = shapes_.try_emplace({seed, images});
  std::vector<Prompt>& prompts = found->second;
  if (!is_new) return prompts;
  for (const std::string& caption : shapes::test_prompts(images, static_cast<uint64_t>(seed))) {
    const auto skill = shapes::skill_name(shapes::parse_caption(caption).skill);
    prompts.push_back({.id = prompts.size(),
                       .text = caption,
                       .skill = std::string(skill),
                       .place = "prompts.source=shapes"});
  }
  return prompts;
}

}  // namespace kvscope
