#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/models/next_token/generate.h"

namespace kvscope::next_token {

/// One row of a prefill: the prompt it belongs to, and whether it says what the prompt says.
struct ConditionRow {
  int64_t prompt = 0;
  bool conditional = true;
};

/// The rows of a batch: those of all prompts, above the unconditional ones where `guided`.
std::vector<ConditionRow> condition_rows(int64_t prompts, bool guided);

/// A condition whose rows are padded on the left by `padding` [rows] tokens; the padding is left
/// out where no row has any.
Condition left_padded(at::Tensor embeddings, std::vector<int64_t> padding);

/// The classes that prompts name. Throws Error(kConfig) for a prompt that is none of 0..classes
/// - 1.
std::vector<int64_t> classes_of_prompts(std::span<const std::string> prompts, int64_t classes);

/// The prefill of classes, one token per row: their rows of `table` [classes + 1, D]; unconditional
/// rows are the last one, the null class.
Condition class_condition(const at::Tensor& table,
                          std::span<const int64_t> classes,
                          std::span<const ConditionRow> rows);

}  // namespace kvscope::next_token
