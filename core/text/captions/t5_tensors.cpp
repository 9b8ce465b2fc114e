#include "core/text/captions/t5_tensors.h"

#include <fmt/format.h>

namespace kvscope {

std::vector<std::pair<std::string, std::vector<int64_t>>> t5_tensors(const T5Config& config) {
  const int64_t inner = config.heads * config.d_kv;
  std::vector<std::pair<std::string, std::vector<int64_t>>> list;
  list.emplace_back("shared.weight", std::vector<int64_t>{config.vocabulary, config.d_model});
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string block = fmt::format("encoder.block.{}.", layer);
    const std::string attention = block + "layer.0.SelfAttention.";
    const std::string feed = block + "layer.1.DenseReluDense.";
    for (const char* projection : {"q", "k", "v"}) {
      list.emplace_back(attention + projection + ".weight",
                        std::vector<int64_t>{inner, config.d_model});
    }
    list.emplace_back(attention + "o.weight", std::vector<int64_t>{config.d_model, inner});
    if (layer == 0) {
      list.emplace_back(attention + "relative_attention_bias.weight",
                        std::vector<int64_t>{config.buckets, config.heads});
    }
    list.emplace_back(block + "layer.0.layer_norm.weight", std::vector<int64_t>{config.d_model});
    for (const char* projection : {"wi_0", "wi_1"}) {
      list.emplace_back(feed + projection + ".weight",
                        std::vector<int64_t>{config.d_ff, config.d_model});
    }
    list.emplace_back(feed + "wo.weight", std::vector<int64_t>{config.d_model, config.d_ff});
    list.emplace_back(block + "layer.1.layer_norm.weight", std::vector<int64_t>{config.d_model});
  }
  list.emplace_back("encoder.final_layer_norm.weight", std::vector<int64_t>{config.d_model});
  return list;
}

}  // namespace kvscope
