#include "core/models/next_token/conditions.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "core/models/model_keys.h"

namespace kvscope::next_token {

std::vector<ConditionRow> condition_rows(int64_t prompts, bool guided) {
  std::vector<ConditionRow> rows;
  for (int64_t prompt = 0; prompt < prompts; ++prompt) rows.push_back({prompt, true});
  for (int64_t prompt = 0; guided && prompt < prompts; ++prompt) rows.push_back({prompt, false});
  return rows;
}

Condition left_padded(at::Tensor embeddings, std::vector<int64_t> padding) {
  Condition condition{.embeddings = std::move(embeddings), .padding = {}};
  if (std::ranges::any_of(padding, [](int64_t tokens) { return tokens > 0; })) {
    condition.padding = std::move(padding);
  }
  return condition;
}

std::vector<int64_t> classes_of_prompts(std::span<const std::string> prompts, int64_t classes) {
  std::vector<int64_t> named;
  for (const std::string& prompt : prompts) named.push_back(class_of_prompt(prompt, classes));
  return named;
}

Condition class_condition(const at::Tensor& table,
                          std::span<const int64_t> classes,
                          std::span<const ConditionRow> rows) {
  std::vector<int64_t> ids;
  for (const ConditionRow& row : rows) {
    ids.push_back(row.conditional ? classes[static_cast<size_t>(row.prompt)] : table.size(0) - 1);
  }
  const at::Tensor index = at::tensor(ids, at::kLong).to(table.device());
  return {.embeddings = table.index_select(0, index).unsqueeze(1), .padding = {}};
}

}  // namespace kvscope::next_token
