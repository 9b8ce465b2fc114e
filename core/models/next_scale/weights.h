#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>

namespace kvscope {

/// Weights of one block that every next-scale transformer has: adaLN, cosine attention, feed
/// forward. Handles, so gradients reach the leaves.
struct ScaleBlockWeights {
  at::Tensor ada_gss;                 ///< [1, 1, 6, C], shared adaLN
  at::Tensor ada_weight, ada_bias;    ///< [6C, C], [6C], own adaLN; undefined when shared
  at::Tensor scale_mul;               ///< [1, H, 1, 1] log of the cosine attention's scale
  at::Tensor qkv_weight;              ///< [3C, C], rows q | k | v
  at::Tensor q_bias, v_bias;          ///< [C]; k has none
  at::Tensor proj_weight, proj_bias;  ///< [C, C], [C]
  at::Tensor fc1_weight, fc1_bias, fc2_weight, fc2_bias;  ///< [F, C], [F], [C, F], [C]
};

/// Weights around the blocks.
struct ScaleTransformerWeights {
  at::Tensor pos_start;                           ///< [1, tokens of the first scale, C]
  at::Tensor level_embedding;                     ///< [levels, C]
  at::Tensor word_weight, word_bias;              ///< [C, code width], [C]
  at::Tensor shared_ada_weight, shared_ada_bias;  ///< [6C, C], [6C]; undefined when not shared
  at::Tensor head_ada_weight, head_ada_bias;      ///< [2C, C], [2C]
  at::Tensor head_weight, head_bias;              ///< [outputs, C], [outputs]
};

/// A tensor by its published name; undefined where the model has none of it.
using TensorByName = std::function<at::Tensor(const std::string& name)>;

/// Looks those of the block up whose names begin with `block`, its self-attention's with
/// `attention` behind it ("sa.", "attn.").
void read_block_weights(const TensorByName& get,
                        const std::string& block,
                        const std::string& attention,
                        int64_t heads,
                        ScaleBlockWeights& weights);

void read_transformer_weights(const TensorByName& get, ScaleTransformerWeights& weights);

}  // namespace kvscope
