#include "core/models/janus/prompt.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "core/base/error.h"
#include "core/models/caption_encoder.h"

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

void check_prompt(const JanusConfig& config, const std::vector<int64_t>& ids, int64_t pad_id) {
  const auto length = static_cast<int64_t>(ids.size());
  if (length < 1 || length > config.prompt_tokens) {
    throw Error(ErrorKind::kConfig,
                fmt::format("a prompt has {} tokens with its chat template, the prefill room for "
                            "{}: shorten it, or set model.transformer.text_max_tokens={} (the "
                            "cache grows with it)",
                            length, config.prompt_tokens, length));
  }
  for (const int64_t id :
       {*std::ranges::min_element(ids), *std::ranges::max_element(ids), pad_id}) {
    if (id >= 0 && id < config.text_vocabulary) continue;
    throw Error(ErrorKind::kInput,
                fmt::format("the tokenizer gives id {}, the model's text vocabulary has {} entries",
                            id, config.text_vocabulary));
  }
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

std::vector<int64_t> unconditional_ids(const std::vector<int64_t>& ids, int64_t pad_id) {
  std::vector<int64_t> row = ids;
  if (row.size() > 2) std::fill(row.begin() + 1, row.end() - 1, pad_id);
  return row;
}

PromptIds made_up(const JanusConfig& config, std::span<const std::string> prompts) {
  PromptIds result;
  for (const std::string& prompt : prompts) {
    std::mt19937_64 engine(text_seed(prompt));
    auto& ids = result.ids.emplace_back();
    for (int64_t i = 0; i < std::min(kMadeUpTokens, config.prompt_tokens); ++i) {
      ids.push_back(static_cast<int64_t>(engine() % static_cast<uint64_t>(config.text_vocabulary)));
    }
  }
  return result;
}

next_token::Condition row_condition(const JanusWeights& weights, const at::Tensor& ids) {
  const at::Tensor flat = ids.to(weights.text_embedding.device(), at::kLong).reshape({-1});
  const at::Tensor rows = weights.text_embedding.index_select(0, flat);
  return {.embeddings = rows.to(weights.image_embedding.scalar_type())
                            .view({ids.size(0), ids.size(1), rows.size(1)}),
          .padding = {}};
}

next_token::Condition prompt_condition(const JanusConfig& config,
                                       const JanusWeights& weights,
                                       const PromptIds& prompts,
                                       bool guided) {
  const auto images = static_cast<int64_t>(prompts.ids.size());
  const at::Tensor ids =
      at::full({guided ? 2 * images : images, config.prompt_tokens}, prompts.pad_id, at::kLong);
  std::vector<int64_t> padding(static_cast<size_t>(ids.size(0)));
  for (int64_t row = 0; row < ids.size(0); ++row) {
    const std::vector<int64_t>& prompt = prompts.ids[static_cast<size_t>(row % images)];
    check_prompt(config, prompt, prompts.pad_id);
    const std::vector<int64_t> own =
        row < images ? prompt : unconditional_ids(prompt, prompts.pad_id);
    const auto length = static_cast<int64_t>(own.size());
    padding[static_cast<size_t>(row)] = config.prompt_tokens - length;
    std::copy(own.begin(), own.end(),
              ids[row].mutable_data_ptr<int64_t>() + config.prompt_tokens - length);
  }
  next_token::Condition condition = row_condition(weights, ids);
  if (std::ranges::any_of(padding, [](int64_t tokens) { return tokens > 0; })) {
    condition.padding = std::move(padding);
  }
  return condition;
}

}  // namespace kvscope::janus
