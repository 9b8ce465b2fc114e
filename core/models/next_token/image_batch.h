#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "core/models/image_model.h"
#include "core/models/next_token/generate.h"
#include "core/models/picture_tensors.h"

namespace kvscope::next_token {

/// The loop's options from those of a sweep.
GenerateOptions generate_options(const SamplingOptions& options);

/// Decodes a generation and says what it took. `decode` makes pictures [B, 3, H, W] from ids [B,
/// image tokens].
GeneratedBatch image_batch(const Generation& generation,
                           double text_ms,
                           PixelRounding rounding,
                           const std::function<at::Tensor(const at::Tensor& tokens)>& decode);

}  // namespace kvscope::next_token
