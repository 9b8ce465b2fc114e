#include "core/models/llamagen/caption.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/models/llamagen/llamagen.h"
#include "core/text/captions/clean_caption.h"
#include "kernels/linear/linear.h"

namespace kvscope::llamagen {

std::vector<std::string> cleaned(std::span<const std::string> captions, bool clean) {
  std::vector<std::string> texts(captions.begin(), captions.end());
  if (!clean) return texts;
  for (std::string& text : texts) text = clean_caption(text);
  return texts;
}

next_token::Condition caption_condition(const TensorMap& tensors,
                                        const CaptionFeatures& captions,
                                        std::span<const next_token::ConditionRow> rows) {
  const at::Tensor& no_caption = tensors.at(kNoCaption);
  const int64_t tokens = no_caption.size(0);
  const at::Tensor& features = captions.features;
  std::vector<at::Tensor> row_features;
  std::vector<int64_t> padding;
  for (const next_token::ConditionRow& row : rows) {
    const int64_t length = captions.lengths[static_cast<size_t>(row.prompt)];
    if (length < 1 || length > tokens || length > features.size(1)) {
      throw Error(ErrorKind::kInput,
                  fmt::format("caption {} has {} rows of features; expected 1..{}", row.prompt,
                              length, std::min(tokens, features.size(1))));
    }
    padding.push_back(tokens - length);
    if (!row.conditional) {
      row_features.push_back(no_caption);
      continue;
    }
    row_features.push_back(at::zeros_like(no_caption));
    row_features.back()
        .narrow(0, tokens - length, length)
        .copy_(features[row.prompt].narrow(0, 0, length));
  }
  const at::Tensor hidden =
      linear_layer(at::stack(row_features), tensors.at("cls_embedding.cap_proj.fc1.weight"),
                   std::nullopt, Activation::kGeluTanh);
  return next_token::left_padded(
      linear_layer(hidden, tensors.at("cls_embedding.cap_proj.fc2.weight")), std::move(padding));
}

}  // namespace kvscope::llamagen
