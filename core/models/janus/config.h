#pragma once

#include <cstdint>
#include <string>

#include "core/models/next_token/decoder.h"

namespace kvscope::janus {

/// Shape of Janus-Pro's text-to-image path (arXiv 2501.17811): a Llama decoder that reads text and
/// writes the codes of a VQ picture tokenizer.
struct JanusConfig {
  next_token::DecoderConfig decoder;
  int64_t text_vocabulary = 102400;
  int64_t image_vocabulary = 16384;  ///< codebook entries
  int64_t code_width = 8;            ///< numbers of a code, as the decoder reads it
  int64_t prompt_tokens = 64;        ///< of the prefill; shorter prompts are padded on the left
  int64_t image_tokens = 576;
  double rope_theta = 10000;

  /// Throws Error(kConfig) naming the number that is out of range.
  void check() const;
};

/// "janus_pro_1b" or "janus_pro_7b". Throws Error(kConfig) with the nearest name for another.
JanusConfig published_janus(const std::string& name);

}  // namespace kvscope::janus
