#include "core/models/next_token/image_batch.h"

#include <chrono>

#include "core/base/clock.h"
#include "core/models/packed_tokens.h"

namespace kvscope::next_token {

GenerateOptions generate_options(const SamplingOptions& options) {
  GenerateOptions result;
  result.cfg = options.cfg;
  result.tau = options.tau;
  result.top_k = options.top_k;
  result.top_p = options.top_p;
  return result;
}

GeneratedBatch image_batch(const Generation& generation,
                           double text_ms,
                           PixelRounding rounding,
                           const std::function<at::Tensor(const at::Tensor& tokens)>& decode) {
  GeneratedBatch batch;
  const auto start = std::chrono::steady_clock::now();
  batch.pictures = to_pictures(decode(generation.tokens), rounding);
  batch.decode_ms = milliseconds_since(start);
  batch.text_ms = text_ms;
  batch.step_ms = generation.step_ms;
  batch.attention_ms = generation.attention_ms;
  batch.policy_ms = generation.policy_ms;
  for (int64_t image = 0; image < generation.tokens.size(0); ++image) {
    batch.tokens.push_back(pack_token_ids(generation.tokens, image));
  }
  return batch;
}

}  // namespace kvscope::next_token
