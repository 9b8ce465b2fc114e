#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/options.h"
#include "core/engine/plan.h"
#include "core/models/image_model.h"
#include "core/models/next_token/decoder.h"
#include "core/models/vq/vq_config.h"

namespace kvscope::next_token {

/// What the `model` group of every next-token family says; see configs/model/*.yaml for the keys.
struct ModelDescription {
  std::string name;
  DecoderConfig decoder;
  VqConfig vq;
  int64_t grid_height = 24;  ///< image tokens
  int64_t grid_width = 24;
  std::string weights;                      ///< "random", or a file or folder
  std::string vae_weights;                  ///< picture tokenizer's file; empty: within `weights`
  std::string text_weights;                 ///< text encoder's file; empty: within `weights`
  std::string tokenizer;                    ///< text tokenizer's file; empty with random weights
  at::ScalarType weight_type = at::kFloat;  ///< weights and activations of the decoder
  at::ScalarType cache_type = at::kFloat;

  [[nodiscard]] int64_t image_tokens() const { return grid_height * grid_width; }
  /// The cache of `condition_tokens` and the image's tokens.
  [[nodiscard]] CacheGeometry cache(int64_t condition_tokens) const;
};

/// Reads the keys that families share over the defaults in `description` (its published size).
/// `precision` fp32: all fp32. compact: fp32 with a bf16 cache. reference: weights, activations and
/// cache bf16, as published. Throws Error(kConfig) naming the key and what was expected; whether
/// sizes fit each other is for the families to check.
void read_description(Options& options, ModelDescription& description);

/// Facts with KV bytes and slots left at what the plan says.
ModelFacts describe(const ModelDescription& description,
                    int64_t condition_tokens,
                    int64_t parameters);

}  // namespace kvscope::next_token
