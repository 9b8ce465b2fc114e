#pragma once

#include "experiments/judges/judge_prompts.h"

namespace kvscope {

/// benchmark-prompts.json: a list of {id, prompt}; or the judge's checkout. Throws Error(kInput).
PromptList read_imagereward_prompts(const std::filesystem::path& path);

}  // namespace kvscope
