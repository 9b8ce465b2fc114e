#include "core/models/llamagen/condition.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace kvscope::llamagen {

next_token::Condition class_condition(const LlamaGenConfig& config,
                                      const LlamaGenWeights& weights,
                                      std::span<const int64_t> classes,
                                      bool guided) {
  std::vector<int64_t> rows(classes.begin(), classes.end());
  if (guided) rows.resize(2 * classes.size(), config.classes);
  const at::Tensor ids = at::tensor(rows, at::kLong).to(weights.class_embedding.device());
  return {.embeddings = weights.class_embedding.index_select(0, ids).unsqueeze(1), .padding = {}};
}

next_token::Condition caption_condition(const LlamaGenConfig& config,
                                        const LlamaGenWeights& weights,
                                        const at::Tensor& features,
                                        std::span<const int64_t> lengths,
                                        bool guided) {
  const int64_t tokens = config.caption_tokens;
  const int64_t images = features.size(0);
  const at::Tensor padded =
      at::zeros({images, tokens, config.caption_channels}, weights.no_caption.options());
  std::vector<int64_t> padding;
  for (int64_t image = 0; image < images; ++image) {
    const int64_t length = lengths[static_cast<size_t>(image)];
    if (length < 1 || length > tokens || length > features.size(1)) {
      throw Error(ErrorKind::kInput,
                  fmt::format("caption {} has {} rows of features; expected 1..{}", image, length,
                              std::min(tokens, features.size(1))));
    }
    padded[image].narrow(0, tokens - length, length).copy_(features[image].narrow(0, 0, length));
    padding.push_back(tokens - length);
  }
  at::Tensor rows = padded;
  if (guided) {
    rows = at::cat({padded, weights.no_caption.unsqueeze(0).expand_as(padded)});
    padding.insert(padding.end(), padding.begin(), padding.begin() + images);
  }
  next_token::Condition condition;
  condition.embeddings =
      at::linear(at::gelu(at::linear(rows, weights.caption1), "tanh"), weights.caption2);
  if (std::ranges::any_of(padding, [](int64_t count) { return count > 0; })) {
    condition.padding = std::move(padding);
  }
  return condition;
}

}  // namespace kvscope::llamagen
