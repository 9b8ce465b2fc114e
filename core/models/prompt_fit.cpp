#include "core/models/prompt_fit.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/models/model_keys.h"
#include "core/text/tokenizers/sentencepiece.h"

namespace kvscope {

TextOverflow read_text_overflow(Options& options) {
  const std::string word =
      options.word({.key = "text.overflow",
                    .default_value = "refuse",
                    .allowed = {"refuse", "cut"},
                    .help = "what is done with a prompt that has more tokens than the model takes: "
                            "refuse it before anything runs, or leave its end out and say so",
                    .identity = Identity::kUnlessDefault});
  return word == "cut" ? TextOverflow::kCut : TextOverflow::kRefuse;
}

PromptFit fit_tokens(int64_t tokens, int64_t most, TextOverflow overflow) {
  PromptFit fit;
  const int64_t excess = std::max<int64_t>(0, tokens - most);
  if (excess > 0 && overflow == TextOverflow::kRefuse) {
    fit.problem = fmt::format(
        "has {} text tokens, the model takes {}; shorten it, or model.text.overflow=cut leaves out "
        "the last {}",
        tokens, most, excess);
  } else {
    fit.cut_tokens = excess;
  }
  return fit;
}

std::vector<PromptFit> fit_captions(const std::string& tokenizer,
                                    std::span<const std::string> captions,
                                    int64_t most_tokens,
                                    TextOverflow overflow) {
  const SentencePiece pieces = SentencePiece::from_file(tokenizer);
  std::vector<PromptFit> fits;
  for (const std::string& caption : captions) {
    fits.push_back(fit_tokens(std::ssize(pieces.encode(caption)), most_tokens, overflow));
  }
  return fits;
}

std::vector<PromptFit> fit_classes(std::span<const std::string> prompts, int64_t classes) {
  std::vector<PromptFit> fits;
  for (const std::string& prompt : prompts) {
    PromptFit& fit = fits.emplace_back();
    try {
      static_cast<void>(class_of_prompt(prompt, classes));
    } catch (const Error&) {
      fit.problem = fmt::format(
          "is no class of this model; expected a number in 0..{}, such as prompt=207 or "
          "prompts=imagenet_classes",
          classes - 1);
    }
  }
  return fits;
}

}  // namespace kvscope
