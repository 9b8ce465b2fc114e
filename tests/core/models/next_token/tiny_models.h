#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <vector>

#include "core/engine/kv_cache.h"
#include "core/models/janus/janus.h"
#include "core/models/janus/prompt.h"
#include "core/models/llamagen/caption.h"
#include "core/models/llamagen/llamagen.h"
#include "core/models/next_token/family_tensors.h"
#include "core/models/next_token/generate.h"

namespace kvscope::next_token {

/// Random weights that leave nothing near zero: biases and norms too.
inline TensorMap spiky(const NextTokenFamily& family,
                       const ModelDescription& model,
                       at::Generator generator) {
  TensorMap tensors = random_transformer(family, model, at::kFloat, generator);
  for (const auto& [name, tensor] : tensors) {
    tensor.add_(at::randn(tensor.sizes(), generator), 0.1);
    tensor.view({-1}).slice(0, 0, {}, 97).mul_(3);
  }
  return tensors;
}

/// A small Janus or LlamaGen with a batch of prompts of unequal lengths.
struct TinyModel {
  NextTokenModel model;
  int64_t image_tokens = 0;
  int64_t condition_tokens = 0;
  std::function<Condition(const std::vector<int64_t>& images, bool guided)> condition;
};

struct TinyShape {
  int64_t heads, head_dim, grid_height, grid_width;
  int64_t kv_heads = 0;
  std::optional<QueryKeyNorm> norm = std::nullopt;
};

inline DecoderConfig tiny_decoder(const TinyShape& shape, double epsilon) {
  return {.layers = 2,
          .heads = shape.heads,
          .kv_heads = shape.kv_heads,
          .width = shape.heads * shape.head_dim,
          .feed_forward_width = 37,
          .norm_epsilon = epsilon,
          .query_key_norm = shape.norm};
}

inline ModelDescription tiny_description(const NextTokenFamily& family, const TinyShape& shape) {
  ModelDescription model = family.defaults;
  model.decoder = tiny_decoder(shape, model.decoder.norm_epsilon);
  model.vq.codebook_entries = 31;
  model.vq.code_width = 5;
  model.grid_height = shape.grid_height;
  model.grid_width = shape.grid_width;
  return model;
}

inline TinyModel tiny_janus(const TinyShape& shape, int64_t prompt_tokens = 9) {
  ModelDescription model = tiny_description(janus::family(), shape);
  model.condition.text_vocabulary = 50;
  model.condition.text_tokens = prompt_tokens;
  at::Generator generator = at::detail::createCPUGenerator(5);
  const TensorMap tensors = spiky(janus::family(), model, generator);
  return {.model = make_model(janus::family(), model, tensors),
          .image_tokens = model.image_tokens(),
          .condition_tokens = prompt_tokens,
          .condition = [model, tensors](const std::vector<int64_t>& images, bool guided) {
            const std::vector<std::vector<int64_t>> all = {
                {1, 9, 8, 7, 6, 5, 4, 3, 2}, {1, 20, 2}, {1, 30, 31, 32, 33, 2}};
            janus::PromptIds prompts{.ids = {}, .pad_id = 49};
            for (const int64_t image : images) {
              prompts.ids.push_back(all[static_cast<size_t>(image)]);
            }
            return janus::prompt_condition(model.condition, tensors, prompts,
                                           condition_rows(std::ssize(images), guided));
          }};
}

inline TinyModel tiny_llamagen(const TinyShape& shape, ConditionKind kind) {
  ModelDescription model = tiny_description(llamagen::family(), shape);
  model.condition = {.kind = kind, .classes = 6, .text_tokens = 8, .text_channels = 11};
  at::Generator generator = at::detail::createCPUGenerator(6);
  const TensorMap tensors = spiky(llamagen::family(), model, generator);
  const at::Tensor features = at::randn({3, 8, 11}, generator);
  return {.model = make_model(llamagen::family(), model, tensors),
          .image_tokens = model.image_tokens(),
          .condition_tokens = model.condition.tokens(),
          .condition = [=](const std::vector<int64_t>& images, bool guided) {
            const std::vector<int64_t> classes = {4, 0, 5};
            const std::vector<int64_t> lengths = {3, 8, 1};
            std::vector<int64_t> own_classes;
            CaptionFeatures captions;
            std::vector<at::Tensor> own_features;
            for (const int64_t image : images) {
              own_classes.push_back(classes[static_cast<size_t>(image)]);
              captions.lengths.push_back(lengths[static_cast<size_t>(image)]);
              own_features.push_back(features[image]);
            }
            captions.features = at::stack(own_features);
            const std::vector<ConditionRow> rows = condition_rows(std::ssize(images), guided);
            return kind == ConditionKind::kClass
                       ? class_condition(tensors.at(llamagen::kClassEmbedding), own_classes, rows)
                       : llamagen::caption_condition(tensors, captions, rows);
          }};
}

inline CacheGeometry tiny_geometry(const TinyModel& tiny) {
  return cache_geometry(tiny.model.config.attention(),
                        next_token_steps(tiny.condition_tokens, tiny.image_tokens));
}

/// A generation with everything that each step left behind.
struct TinyRun {
  Generation generation;
  std::vector<at::Tensor> row_logits, logits;
};

inline TinyRun run_tiny(const TinyModel& tiny,
                        const std::vector<int64_t>& images,
                        const GenerateOptions& options,
                        bool guided_rows,
                        CacheController* controller = nullptr,
                        std::optional<Plan> plan = {}) {
  const Condition condition = tiny.condition(images, guided_rows);
  KvCache cache(plan ? *plan : full_plan(tiny_geometry(tiny)), condition.embeddings.size(0),
                at::kCPU);
  AttentionContext context{.cache = cache, .controller = controller};
  std::vector<at::Generator> generators;
  for (const int64_t image : images) {
    generators.push_back(at::detail::createCPUGenerator(static_cast<uint64_t>(100 + image)));
  }
  TinyRun run;
  run.generation =
      generate(tiny.model, condition, options, generators, context, [&](const StepResult& step) {
        run.row_logits.push_back(step.row_logits);
        run.logits.push_back(step.logits);
      });
  cache.audit(static_cast<int64_t>(cache.plan().geometry().steps.size()) - 1);
  return run;
}

}  // namespace kvscope::next_token
