#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/models/next_token/conditions.h"
#include "core/models/next_token/description.h"
#include "core/text/tokenizers/byte_pair_tokenizer.h"

namespace kvscope::janus {

/// Janus-Pro's chat template around a prompt, with the tag that begins an image:
/// "<|User|>: PROMPT\n\n<|Assistant|>:<begin_of_image>", the prompt stripped of whitespace.
std::string chat_text(std::string_view prompt);

/// Ids of prompts, and the one that stands for "no word" in the unconditional rows.
struct PromptIds {
  std::vector<std::vector<int64_t>> ids;  ///< [B], each from BOS to begin-of-image
  int64_t pad_id = 0;
};

/// Chat texts through the model's tokenizer. Throws Error(kInput) where it lacks the padding token.
PromptIds tokenized(const BytePairTokenizer& tokenizer, std::span<const std::string> prompts);

/// What the model takes of each prompt under text.overflow: the prompt itself, or its beginning, in
/// whole characters, that fits with its chat template.
std::vector<std::string> taken(const BytePairTokenizer& tokenizer,
                               std::span<const std::string> prompts,
                               const next_token::ConditionConfig& config);

/// Made-up ids of a random model without a tokenizer: the same prompt, the same ids.
PromptIds made_up(const next_token::ConditionConfig& config, std::span<const std::string> prompts);

/// The prefill of `rows`, over the transformer's tensors. An unconditional row has the length of
/// its prompt, the first and the last id kept and `pad_id`, an ordinary attended token, in between.
/// Prompts shorter than config.text_tokens are padded on the left by tokens that nobody sees.
/// Throws Error(kConfig) for a longer prompt, Error(kInput) for an id outside the vocabulary.
next_token::Condition prompt_condition(const next_token::ConditionConfig& config,
                                       const TensorMap& tensors,
                                       const PromptIds& prompts,
                                       std::span<const next_token::ConditionRow> rows);

/// The embeddings [rows, tokens, D] of rows that are given in full: `ids` [rows, tokens].
at::Tensor prompt_embeddings(const TensorMap& tensors, const at::Tensor& ids);

}  // namespace kvscope::janus
