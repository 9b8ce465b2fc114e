#include "core/models/janus/prompt.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "core/base/error.h"
#include "core/models/caption_encoder.h"
#include "core/models/janus/janus.h"

namespace kvscope::janus {
namespace {

constexpr std::string_view kPad = "<｜▁pad▁｜>";
constexpr int64_t kMadeUpTokens = 16;

// What Python's str.strip takes off, in UTF-8.
constexpr std::string_view kSpaces[] = {" ",      "\t",     "\n",     "\v",     "\f",     "\r",
                                        "\x1c",   "\x1d",   "\x1e",   "\x1f",   "\u0085", "\u00a0",
                                        "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004",
                                        "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
                                        "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};

std::string_view stripped(std::string_view text) {
  for (bool found = true; found;) {
    found = false;
    for (const std::string_view space : kSpaces) {
      if (text.starts_with(space)) {
        text.remove_prefix(space.size());
        found = true;
      } else if (text.ends_with(space)) {
        text.remove_suffix(space.size());
        found = true;
      }
    }
  }
  return text;
}

void check_prompt(const next_token::ConditionConfig& config,
                  const std::vector<int64_t>& ids,
                  int64_t pad_id) {
  const auto length = static_cast<int64_t>(ids.size());
  if (length < 1 || length > config.text_tokens) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("a prompt has {} tokens with its chat template, the prefill capacity for "
                    "{}: shorten it, or set model.transformer.text_max_tokens={} (the "
                    "cache grows with it)",
                    length, config.text_tokens, length));
  }
  for (const int64_t id :
       {*std::ranges::min_element(ids), *std::ranges::max_element(ids), pad_id}) {
    if (id >= 0 && id < config.text_vocabulary) continue;
    throw Error(ErrorKind::kInput,
                fmt::format("the tokenizer gives id {}, the model's text vocabulary has {} entries",
                            id, config.text_vocabulary));
  }
}

/// The longest beginning that has at most `most` tokens with its chat template.
std::string fitting_prompt(const BytePairTokenizer& tokenizer,
                           std::string_view prompt,
                           int64_t most) {
  constexpr int64_t kMostTokensOfCharacter = 4;  // one per byte
  const auto drop_character = [&] {
    const auto is_inside = [](char byte) { return (static_cast<unsigned char>(byte) >> 6) == 2; };
    while (!prompt.empty() && is_inside(prompt.back())) prompt.remove_suffix(1);
    if (!prompt.empty()) prompt.remove_suffix(1);
  };
  while (!prompt.empty()) {
    const int64_t excess = std::ssize(tokenizer.encode(chat_text(prompt))) - most;
    if (excess <= 0) break;
    const int64_t characters = (excess + kMostTokensOfCharacter - 1) / kMostTokensOfCharacter;
    for (int64_t i = 0; i < characters; ++i) drop_character();
  }
  return std::string(prompt);
}

}  // namespace

std::string chat_text(std::string_view prompt) {
  return fmt::format("<|User|>: {}\n\n<|Assistant|>:<begin_of_image>", stripped(prompt));
}

PromptIds tokenized(const BytePairTokenizer& tokenizer, std::span<const std::string> prompts) {
  const std::optional<int64_t> pad = tokenizer.id_of(kPad);
  if (!pad) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("the tokenizer has no '{}'; expected Janus-Pro's tokenizer.json", kPad));
  }
  PromptIds result{.ids = {}, .pad_id = *pad};
  for (const std::string& prompt : prompts) {
    result.ids.push_back(tokenizer.encode(chat_text(prompt)));
  }
  return result;
}

std::vector<std::string> taken(const BytePairTokenizer& tokenizer,
                               std::span<const std::string> prompts,
                               const next_token::ConditionConfig& config) {
  std::vector<std::string> texts(prompts.begin(), prompts.end());
  if (config.overflow == TextOverflow::kRefuse) return texts;
  for (std::string& text : texts) text = fitting_prompt(tokenizer, text, config.text_tokens);
  return texts;
}

PromptIds made_up(const next_token::ConditionConfig& config, std::span<const std::string> prompts) {
  PromptIds result;
  for (const std::string& prompt : prompts) {
    std::mt19937_64 engine(text_seed(prompt));
    auto& ids = result.ids.emplace_back();
    for (int64_t i = 0; i < std::min(kMadeUpTokens, config.text_tokens); ++i) {
      ids.push_back(static_cast<int64_t>(engine() % static_cast<uint64_t>(config.text_vocabulary)));
    }
  }
  return result;
}

at::Tensor prompt_embeddings(const TensorMap& tensors, const at::Tensor& ids) {
  const at::Tensor& table = tensors.at(kTextEmbedding);
  const at::Tensor rows = table.index_select(0, ids.to(table.device(), at::kLong).reshape({-1}));
  // The table is of any type: its rows become what the decoder computes in.
  return rows.to(tensors.at(kCodeEmbedding).scalar_type())
      .view({ids.size(0), ids.size(1), rows.size(1)});
}

next_token::Condition prompt_condition(const next_token::ConditionConfig& config,
                                       const TensorMap& tensors,
                                       const PromptIds& prompts,
                                       std::span<const next_token::ConditionRow> rows) {
  const at::Tensor ids =
      at::full({std::ssize(rows), config.text_tokens}, prompts.pad_id, at::kLong);
  std::vector<int64_t> padding;
  for (const next_token::ConditionRow& row : rows) {
    std::vector<int64_t> own = prompts.ids[static_cast<size_t>(row.prompt)];
    check_prompt(config, own, prompts.pad_id);
    if (!row.conditional && own.size() > 2) {
      std::fill(own.begin() + 1, own.end() - 1, prompts.pad_id);
    }
    auto* first = ids[std::ssize(padding)].mutable_data_ptr<int64_t>();
    padding.push_back(config.text_tokens - std::ssize(own));
    std::ranges::copy(own, first + padding.back());
  }
  return next_token::left_padded(prompt_embeddings(tensors, ids), std::move(padding));
}

}  // namespace kvscope::janus
