#include "core/models/llamagen/llamagen.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <limits>

#include "core/models/llamagen/caption.h"
#include "core/models/next_token/family_tensors.h"
#include "core/models/next_token/sample.h"
#include "core/models/shared/guidance.h"
#include "experiments/verify/group_check.h"
#include "experiments/verify/kinds.h"
#include "experiments/verify/models/next_token_check.h"

namespace kvscope::verify {
namespace {

using next_token::ConditionKind;
using next_token::ModelDescription;

ModelDescription read_description(const GoldenFile& file, ConditionKind kind) {
  ModelDescription model = llamagen::family().defaults;
  model.condition.kind = kind;
  model.decoder.layers = file.integer("n_layer");
  model.decoder.heads = file.integer("n_head");
  model.decoder.width = file.integer("dim");
  model.decoder.feed_forward_width = llamagen::feed_forward_width(model.decoder.width);
  model.vq.codebook_entries = file.integer("vocab");
  model.grid_height = model.grid_width = file.integer("side", 1, 256);
  const int64_t condition_tokens = file.integer("cls_tokens");
  if (kind == ConditionKind::kClass) {
    const std::vector<int64_t>& table =
        file.shape(fmt::format("model.{}", llamagen::kClassEmbedding));
    model.condition.classes = table.empty() ? 0 : table.front() - 1;
    if (condition_tokens != 1) {
      file.fail(fmt::format("metadata 'cls_tokens' is {}; a class takes 1", condition_tokens));
    }
  } else {
    model.condition.text_tokens = condition_tokens;
    const std::vector<int64_t>& features =
        file.shape(fmt::format("model.{}", llamagen::kNoCaption));
    model.condition.text_channels = features.empty() ? 0 : features.back();
  }
  if (model.decoder.layers > static_cast<int64_t>(file.tensor_count())) {
    file.fail(fmt::format("metadata 'n_layer' is {}, more than the file has tensors",
                          model.decoder.layers));
  }
  check(llamagen::family(), model);
  if (file.integer("n_kv_head") != model.decoder.heads) {
    file.fail(fmt::format("metadata 'n_kv_head' is {}; expected {}, as many as 'n_head'",
                          file.integer("n_kv_head"), model.decoder.heads));
  }
  return model;
}

next_token::Condition read_classes(GoldenFile& file,
                                   const ModelDescription& model,
                                   const TensorMap& tensors,
                                   int64_t images) {
  const at::Tensor labels = file.tensor("labels", {images}).to(at::kLong).contiguous();
  const auto* first = labels.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < images; ++i) {
    if (first[i] >= 0 && first[i] < model.condition.classes) continue;
    file.fail(fmt::format("tensor 'labels' holds class {}; expected 0..{}", first[i],
                          model.condition.classes - 1));
  }
  return next_token::class_condition(tensors.at(llamagen::kClassEmbedding),
                                     {first, static_cast<size_t>(images)},
                                     next_token::condition_rows(images, true));
}

// Files hold features as they enter the model: padded on the left.
next_token::Condition read_captions(GoldenFile& file,
                                    const ModelDescription& model,
                                    const TensorMap& tensors,
                                    int64_t images) {
  const int64_t tokens = model.condition.text_tokens;
  const at::Tensor mask = file.tensor("caption_mask", {images, tokens}) != 0;
  const at::Tensor features =
      file.tensor("caption_emb", {images, tokens, model.condition.text_channels}).to(at::kFloat);
  CaptionFeatures captions;
  std::vector<at::Tensor> right_padded;
  for (int64_t image = 0; image < images; ++image) {
    const int64_t length = mask[image].sum().item<int64_t>();
    if (length < 1 || !mask[image].narrow(0, tokens - length, length).all().item<bool>()) {
      file.fail(fmt::format("tensor 'caption_mask' row {}: expected zeros, then ones", image));
    }
    captions.lengths.push_back(length);
    right_padded.push_back(features[image].roll({length - tokens}, {0}));
  }
  captions.features = at::stack(right_padded).to(file.device());
  return llamagen::caption_condition(tensors, captions, next_token::condition_rows(images, true));
}

// Recorded tokens against recomputed logits: what a draw from the recorded seed gives, and, where
// it gives others (random streams differ between builds of LibTorch and processors), whether each
// recorded token could be drawn at all.
GroupResult check_tokens(const GoldenFile& file,
                         const at::Tensor& logits,
                         const at::Tensor& tokens) {
  const next_token::Sampling sampling{.temperature = file.number("temperature"),
                                      .top_k = file.integer("top_k", 0),
                                      .top_p = file.number("top_p")};
  // A logit next to a threshold may fall to either side of it.
  const at::Tensor kept = next_token::keep_likely(logits, sampling);
  const at::Tensor index = tokens.unsqueeze(-1);
  const at::Tensor lowest =
      kept.masked_fill(kept.isinf(), std::numeric_limits<float>::max()).amin(-1, true);
  const at::Tensor own = logits.gather(-1, index) / sampling.temperature;
  const auto impossible = (own < lowest - kTolerance).sum().item<int64_t>();
  GroupResult result{
      .group = "tokens",
      .largest_difference = static_cast<double>(impossible),
      .ok = impossible == 0,
      .note = fmt::format("{} tokens, {} of them cannot be drawn", tokens.numel(), impossible)};
  if (!file.has_key("seed")) return result;
  constexpr int64_t kLargestSeed = std::numeric_limits<int64_t>::max();
  at::Generator generator =
      at::detail::createCPUGenerator(static_cast<uint64_t>(file.integer("seed", 0, kLargestSeed)));
  int64_t different = 0;
  for (int64_t step = 0; step < tokens.size(1); ++step) {
    // One generator for the whole batch, as the reference draws.
    const at::Tensor drawn =
        at::multinomial(at::softmax(kept.select(1, step), -1), 1, false, generator).squeeze(1);
    different += (drawn != tokens.select(1, step)).sum().item<int64_t>();
  }
  if (different == 0) {
    result.note = fmt::format("{} tokens, drawn again from the seed: all equal", tokens.numel());
  } else {
    result.note += fmt::format("; a draw from the seed gives {} others here", different);
  }
  return result;
}

std::vector<GroupResult> verify_llamagen(GoldenFile& file, ConditionKind kind) {
  const at::NoGradGuard no_grad;
  const next_token::NextTokenFamily& family = llamagen::family();
  const ModelDescription model = read_description(file, kind);
  const int64_t images = file.integer("batch");
  const at::Tensor tokens =
      recorded_tokens(file, "tokens", images, model.image_tokens(), model.vq.codebook_entries);
  const TensorMap tensors = resolve(family, model, file.weights("model.").below("model."));
  NextTokenRun run;
  run.model = make_model(family, model, tensors);
  run.condition = kind == ConditionKind::kClass ? read_classes(file, model, tensors, images)
                                                : read_captions(file, model, tensors, images);
  run.options.cfg = {file.number("cfg")};
  run.options.cfg_interval = file.integer("cfg_interval", -1);
  run.options.forced_tokens = tokens;
  if (!guided(run.options.cfg)) file.fail("metadata 'cfg' is 1: no guidance");

  const NextTokenTrace made = trace(run);
  GroupCheck logits("logits", kTolerance, kLogitShare);
  logits.compare(made.row_logits, file.tensor("logits", made.row_logits.sizes()), "logits");
  GroupCheck keys("cache.k");
  GroupCheck values("cache.v");
  compare_caches(file, made, "", keys, values);
  return {logits.result(), check_tokens(file, made.logits.cpu(), tokens), keys.result(),
          values.result()};
}

}  // namespace

std::vector<GroupResult> verify_llamagen_c2i(GoldenFile& file) {
  return verify_llamagen(file, ConditionKind::kClass);
}

std::vector<GroupResult> verify_llamagen_t2i(GoldenFile& file) {
  return verify_llamagen(file, ConditionKind::kFeatures);
}

}  // namespace kvscope::verify
