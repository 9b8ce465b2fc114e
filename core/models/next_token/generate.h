#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/engine/attend.h"
#include "core/models/next_token/decoder.h"
#include "core/models/shared/generation_times.h"

namespace kvscope::next_token {

/// A next-token model as the loop sees it: the decoder, and how ids come in and logits go out.
struct NextTokenModel {
  DecoderConfig config;
  DecoderWeights weights;
  RotationTable rotation;
  std::function<at::Tensor(const at::Tensor& ids)> embed;    ///< [n] -> [n, D]
  std::function<at::Tensor(const at::Tensor& hidden)> head;  ///< [n, D], normed -> logits [n, V]
};

/// What the prefill reads, conditional rows above unconditional ones.
struct Condition {
  at::Tensor embeddings;         ///< [rows, condition tokens, D]
  std::vector<int64_t> padding;  ///< [rows] left padding in tokens; empty: none
};

struct GenerateOptions {
  std::vector<double> cfg = {1.0};  ///< guidance: one value, or one per step; entry t for token t
  std::vector<double> tau = {1.0};  ///< temperature: likewise
  int64_t cfg_interval = -1;        ///< see guidance_of_token()
  int64_t top_k = 0;
  double top_p = 1.0;
  bool greedy = false;
  at::Tensor
      forced_tokens;  ///< [B, image tokens]: ids to use instead of sampling; undefined samples
};

/// What a step leaves behind, for records and checks.
struct StepResult {
  const StepInfo& step;
  const at::Tensor& hidden;      ///< [rows, D] last position after the final norm
  const at::Tensor& row_logits;  ///< [rows, V] before guidance
  const at::Tensor& logits;      ///< [B, V] after guidance, before temperature
  const at::Tensor& tokens;      ///< [B] int64, sampled or forced
};

struct Generation {
  at::Tensor tokens;  ///< [B, image tokens] int64
  GenerationTimes times;
};

/// The guidance of image token `token`: LlamaGen stops guiding where its loop index token - 1
/// exceeds `interval`, for interval > -1; the first image token is always guided.
double guidance_of_token(double scale, int64_t token, int64_t interval);

/// The sampling loop. `generators` one per image. `context.cache` must be planned for
/// next_token_steps(condition tokens, image tokens) and as many rows as `condition` has: two an
/// image where guided(options.cfg). Throws Error(kNumerics) naming the token where a logit is NaN
/// or infinite.
Generation generate(const NextTokenModel& model,
                    const Condition& condition,
                    const GenerateOptions& options,
                    std::span<at::Generator> generators,
                    AttentionContext& context,
                    const std::function<void(const StepResult&)>& on_step = {});

/// The same model over condition and `tokens` [rows, n] at once, no cache: what training runs, and
/// the oracle of cached generation. Returns the logits [rows, n + 1, V] of image tokens 0..n, each
/// before guidance. Gradients flow.
at::Tensor teacher_forcing(const NextTokenModel& model,
                           const Condition& condition,
                           const at::Tensor& tokens);

}  // namespace kvscope::next_token
