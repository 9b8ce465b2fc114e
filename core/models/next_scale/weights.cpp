#include "core/models/next_scale/weights.h"

#include <ATen/ATen.h>

namespace kvscope {

void read_block_weights(const TensorByName& get,
                        const std::string& block,
                        const std::string& attention,
                        int64_t heads,
                        ScaleBlockWeights& weights) {
  const std::string at = block + attention;
  weights = {.ada_gss = get(block + "ada_gss"),
             .ada_weight = get(block + "ada_lin.1.weight"),
             .ada_bias = get(block + "ada_lin.1.bias"),
             .scale_mul = get(at + "scale_mul_1H11").reshape({1, heads, 1, 1}),
             .qkv_weight = get(at + "mat_qkv.weight"),
             .q_bias = get(at + "q_bias"),
             .v_bias = get(at + "v_bias"),
             .proj_weight = get(at + "proj.weight"),
             .proj_bias = get(at + "proj.bias"),
             .fc1_weight = get(block + "ffn.fc1.weight"),
             .fc1_bias = get(block + "ffn.fc1.bias"),
             .fc2_weight = get(block + "ffn.fc2.weight"),
             .fc2_bias = get(block + "ffn.fc2.bias")};
}

void read_transformer_weights(const TensorByName& get, ScaleTransformerWeights& weights) {
  weights = {.pos_start = get("pos_start"),
             .level_embedding = get("lvl_embed.weight"),
             .word_weight = get("word_embed.weight"),
             .word_bias = get("word_embed.bias"),
             .shared_ada_weight = get("shared_ada_lin.1.weight"),
             .shared_ada_bias = get("shared_ada_lin.1.bias"),
             .head_ada_weight = get("head_nm.ada_lin.1.weight"),
             .head_ada_bias = get("head_nm.ada_lin.1.bias"),
             .head_weight = get("head.weight"),
             .head_bias = get("head.bias")};
}

}  // namespace kvscope
