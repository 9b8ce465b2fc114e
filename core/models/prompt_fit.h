#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/config/options.h"

namespace kvscope {

/// What is done with a text that has more tokens than its model takes.
enum class TextOverflow : uint8_t { kRefuse, kCut };

/// `text.overflow`: refuse | cut.
TextOverflow read_text_overflow(Options& options);

/// How a prompt fits a model.
struct PromptFit {
  int64_t cut_tokens = 0;  ///< of its end, which the model does not see
  std::string problem{};   ///< why the model does not take it, and what helps; empty where it does
};

/// Of a text with so many tokens in a model that takes `most`.
PromptFit fit_tokens(int64_t tokens, int64_t most, TextOverflow overflow);

/// Of captions through a SentencePiece model, `</s>` counted. Throws as SentencePiece::from_file().
std::vector<PromptFit> fit_captions(const std::string& tokenizer,
                                    std::span<const std::string> captions,
                                    int64_t most_tokens,
                                    TextOverflow overflow);

/// Of numbers of classes, 0..classes - 1.
std::vector<PromptFit> fit_classes(std::span<const std::string> prompts, int64_t classes);

/// How prompts fit the model of a `model` group: its tokenizer is read, and no weights. A model of
/// random weights without a tokenizer takes every text. Throws Error(kInput) for a tokenizer that
/// cannot be read.
std::vector<PromptFit> fit_prompts(const ConfigNode& model,
                                   const std::string& root,
                                   std::span<const std::string> prompts);

}  // namespace kvscope
