#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/models/next_token/generate.h"
#include "experiments/verify/golden_file.h"
#include "experiments/verify/group_check.h"

namespace kvscope::verify {

/// A recorded generation of a next-token model, ready to run again with its tokens forced.
struct NextTokenRun {
  next_token::NextTokenModel model;
  next_token::Condition condition;      ///< conditional rows above unconditional ones
  next_token::GenerateOptions options;  ///< with the recorded tokens
  bool interleaved = false;             ///< the file's rows: conditional, unconditional, ...
};

/// What one run leaves behind, rows in the file's order.
struct NextTokenTrace {
  at::Tensor hidden;                    ///< [rows, steps, D]
  at::Tensor row_logits;                ///< [rows, steps, V]
  at::Tensor logits;                    ///< [B, steps, V] after guidance
  std::vector<at::Tensor> keys = {};    ///< [layers][rows, heads, tokens, head_dim]
  std::vector<at::Tensor> values = {};  ///< likewise
};

NextTokenTrace trace(const NextTokenRun& run);

/// The recorded ids [B, image tokens] called `name`. Throws Error(kInput) for an id outside the
/// vocabulary.
at::Tensor recorded_tokens(
    GoldenFile& file, const std::string& name, int64_t images, int64_t tokens, int64_t vocabulary);

/// Compares the caches "`prefix`cache.k.L" and "...v.L" of the layers that are recorded: each holds
/// what the layers before it did, so a file may leave them out, not the last one.
void compare_caches(GoldenFile& file,
                    const NextTokenTrace& trace,
                    const std::string& prefix,
                    GroupCheck& keys,
                    GroupCheck& values);

}  // namespace kvscope::verify
