#pragma once

#include <string>

#include "analysis/networks/clip.h"
#include "core/checkpoint/tensor_map.h"

namespace kvscope {

/// How `tensors` are spelled. Throws Error(kInput) for a file that is no CLIP of a vision
/// transformer.
ClipNames clip_names_of(const TensorMap& tensors, const std::string& file);

/// The same tensors by OpenAI's names: of transformers' ones, q, k and v in one matrix and the
/// projections transposed. What is missing stays missing.
TensorMap with_openai_names(const TensorMap& tensors, ClipNames names);

}  // namespace kvscope
