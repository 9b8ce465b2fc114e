#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/models/janus/config.h"
#include "core/models/janus/weights.h"
#include "core/models/next_token/generate.h"
#include "core/text/byte_pair_tokenizer.h"

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

/// The unconditional row of a prompt: the first and the last id kept, `pad_id` in between.
std::vector<int64_t> unconditional_ids(const std::vector<int64_t>& ids, int64_t pad_id);

/// Made-up ids of a random model without a tokenizer: the same prompt, the same ids.
PromptIds made_up(const JanusConfig& config, std::span<const std::string> prompts);

/// The prefill: conditional rows above unconditional ones where `guided`. An unconditional row has
/// the length of its prompt, the first and the last id kept and `pad_id`, an ordinary attended
/// token, in between. Prompts shorter than config.prompt_tokens are padded on the left by tokens
/// that nobody sees. Throws Error(kConfig) for a longer prompt, Error(kInput) for an id outside the
/// vocabulary.
next_token::Condition prompt_condition(const JanusConfig& config,
                                       const JanusWeights& weights,
                                       const PromptIds& prompts,
                                       bool guided);

/// The prefill of rows that are given in full: `ids` [rows, prompt_tokens].
next_token::Condition row_condition(const JanusWeights& weights, const at::Tensor& ids);

}  // namespace kvscope::janus
