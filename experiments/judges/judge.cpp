#include "experiments/judges/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace kvscope {

#define KVSCOPE_JUDGE(name) Judge judge_##name();
#include "experiments/judges/judges.def"
#undef KVSCOPE_JUDGE

const std::vector<Judge>& judges() {
  static const std::vector<Judge> all = {
#define KVSCOPE_JUDGE(name) judge_##name(),
#include "experiments/judges/judges.def"
#undef KVSCOPE_JUDGE
  };
  return all;
}

std::vector<std::string> judge_names() {
  std::vector<std::string> names;
  for (const Judge& judge : judges()) names.push_back(judge.name);
  return names;
}

void require_samples(const std::optional<int64_t>& samples) {
  if (!samples || *samples >= 1) return;
  throw Error(
      ErrorKind::kConfig,
      fmt::format("--samples {}: expected a number of images of each prompt, 1 or more", *samples));
}

const Judge& judge_named(const std::string& name) {
  const auto found = std::ranges::find(judges(), name, &Judge::name);
  if (found == judges().end()) {
    throw Error(ErrorKind::kConfig, "no judge '" + name + "'. " + suggestion(name, judge_names()));
  }
  return *found;
}

}  // namespace kvscope
