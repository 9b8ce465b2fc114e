#include "experiments/judges/imagereward_prompts.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "experiments/judges/judge_json.h"
#include "experiments/judges/judge_text.h"

namespace kvscope {

PromptList read_imagereward_prompts(const std::filesystem::path& path) {
  const std::filesystem::path file =
      prompt_file(path, {"benchmark/benchmark-prompts.json", "benchmark-prompts.json",
                         "evaluation/image_reward/benchmark-prompts.json"});
  const JudgeJson json = parse_judge_json(judge_file_text(file), file.string());
  if (!json.is_array()) {
    throw Error(ErrorKind::kInput, file.string() + ": expected a JSON list of {id, prompt}");
  }
  PromptList list{.files = {file}};
  for (const JudgeJson& item : json) {
    const std::string where = fmt::format("{}: item {}", file.string(), list.prompts.size());
    list.prompts.push_back({.key = text_member(item, "id", where),
                            .text = text_member(item, "prompt", where),
                            .where = where});
  }
  return list;
}

}  // namespace kvscope
