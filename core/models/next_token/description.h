#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>

#include "core/engine/plan.h"
#include "core/models/next_token/decoder.h"
#include "core/models/prompt_fit.h"
#include "core/models/vq/vq_config.h"
#include "core/text/captions/t5_encoder.h"

namespace kvscope::next_token {

/// What an image is made of.
enum class ConditionKind : uint8_t {
  kClass,     ///< one of the classes
  kTokens,    ///< ids of a text tokenizer
  kFeatures,  ///< features of a T5 encoder
};

/// The prefill: what it is made of and how long it is. A kind reads what concerns it.
struct ConditionConfig {
  ConditionKind kind = ConditionKind::kClass;
  int64_t classes = 1000;        ///< without the null class behind them
  int64_t text_tokens = 64;      ///< of the prefill; shorter prompts are padded on the left
  int64_t text_vocabulary = 0;   ///< ids of the text tokenizer
  int64_t text_channels = 2048;  ///< of the features
  T5Config text_encoder = {};
  bool clean_captions = true;  ///< as LlamaGen's demo does before tokenizing
  TextOverflow overflow = TextOverflow::kRefuse;

  /// Tokens of the prefill.
  [[nodiscard]] int64_t tokens() const { return kind == ConditionKind::kClass ? 1 : text_tokens; }
};

/// What the `model` group of a next-token model says, whatever its family; see configs/model/*.yaml
/// for the keys.
struct ModelDescription {
  std::string name = {};
  DecoderConfig decoder = {};
  double rope_theta = 10000;
  ConditionConfig condition = {};
  VqConfig vq = {};          ///< its codebook is the image vocabulary
  int64_t grid_height = 24;  ///< image tokens
  int64_t grid_width = 24;
  int64_t cfg_interval = -1;                ///< see guidance_of_token()
  std::string weights = {};                 ///< "random", or a file or folder
  std::string vae_weights = {};             ///< image tokenizer's file; empty: within `weights`
  std::string text_weights = {};            ///< text encoder's file; empty: within `weights`
  std::string tokenizer = {};               ///< text tokenizer's file; empty with random weights
  at::ScalarType weight_type = at::kFloat;  ///< weights and activations of the decoder
  /// In which the matrices of its linear layers are stored; rows are computed in weight_type.
  at::ScalarType matrix_type = at::kFloat;
  at::ScalarType cache_type = at::kFloat;
  at::ScalarType image_type = at::kFloat;  ///< of the image decoder

  [[nodiscard]] int64_t image_tokens() const { return grid_height * grid_width; }
  /// Positions of a generation: prefill and image.
  [[nodiscard]] int64_t positions() const { return condition.tokens() + image_tokens(); }
  [[nodiscard]] CacheGeometry cache() const;
};

}  // namespace kvscope::next_token
