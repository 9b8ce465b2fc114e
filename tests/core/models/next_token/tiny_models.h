#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <vector>

#include "core/engine/kv_cache.h"
#include "core/models/janus/prompt.h"
#include "core/models/janus/weights.h"
#include "core/models/llamagen/condition.h"
#include "core/models/llamagen/weights.h"
#include "core/models/next_token/generate.h"
#include "core/models/next_token/random_decoder.h"

namespace kvscope::next_token {

/// Random weights that leave nothing near zero: biases and norms too.
inline TensorMap spiky(const std::vector<WeightSpec>& specs, at::Generator generator) {
  TensorMap tensors = random_decoder(specs, 1, at::kFloat, generator);
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

inline TinyModel tiny_janus(const TinyShape& shape, int64_t prompt_tokens = 9) {
  janus::JanusConfig config;
  config.decoder = tiny_decoder(shape, 1e-6);
  config.text_vocabulary = 50;
  config.image_vocabulary = 31;
  config.code_width = 5;
  config.prompt_tokens = prompt_tokens;
  config.image_tokens = shape.grid_height * shape.grid_width;
  at::Generator generator = at::detail::createCPUGenerator(5);
  const janus::JanusWeights weights =
      janus::resolve_janus(config, spiky(janus::janus_tensors(config), generator));
  return {.model = janus::make_model(config, weights),
          .image_tokens = config.image_tokens,
          .condition_tokens = prompt_tokens,
          .condition = [config, weights](const std::vector<int64_t>& images, bool guided) {
            const std::vector<std::vector<int64_t>> all = {
                {1, 9, 8, 7, 6, 5, 4, 3, 2}, {1, 20, 2}, {1, 30, 31, 32, 33, 2}};
            janus::PromptIds prompts{.ids = {}, .pad_id = 49};
            for (const int64_t image : images) {
              prompts.ids.push_back(all[static_cast<size_t>(image)]);
            }
            return janus::prompt_condition(config, weights, prompts, guided);
          }};
}

inline TinyModel tiny_llamagen(const TinyShape& shape, llamagen::Conditioning conditioning) {
  llamagen::LlamaGenConfig config;
  config.decoder = tiny_decoder(shape, 1e-5);
  config.conditioning = conditioning;
  config.classes = 6;
  config.caption_tokens = 8;
  config.caption_channels = 11;
  config.image_vocabulary = 31;
  config.grid_height = shape.grid_height;
  config.grid_width = shape.grid_width;
  at::Generator generator = at::detail::createCPUGenerator(6);
  const llamagen::LlamaGenWeights weights =
      llamagen::resolve_llamagen(config, spiky(llamagen::llamagen_tensors(config), generator));
  const at::Tensor features = at::randn({3, 8, 11}, generator);
  return {.model = llamagen::make_model(config, weights),
          .image_tokens = config.image_tokens(),
          .condition_tokens = config.condition_tokens(),
          .condition = [=](const std::vector<int64_t>& images, bool guided) {
            const std::vector<int64_t> classes = {4, 0, 5};
            const std::vector<int64_t> lengths = {3, 8, 1};
            std::vector<int64_t> own_classes, own_lengths;
            std::vector<at::Tensor> own_features;
            for (const int64_t image : images) {
              own_classes.push_back(classes[static_cast<size_t>(image)]);
              own_lengths.push_back(lengths[static_cast<size_t>(image)]);
              own_features.push_back(features[image]);
            }
            return conditioning == llamagen::Conditioning::kClass
                       ? llamagen::class_condition(config, weights, own_classes, guided)
                       : llamagen::caption_condition(config, weights, at::stack(own_features),
                                                     own_lengths, guided);
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
