#include "analysis/networks/clip_names.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace kvscope {
namespace {

using Renamed = std::pair<std::string_view, std::string_view>;  // OpenAI's, transformers'

constexpr std::array kTopNames = std::to_array<Renamed>({
    {"visual.class_embedding", "vision_model.embeddings.class_embedding"},
    {"visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight"},
    {"visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"},
    {"visual.ln_pre.weight", "vision_model.pre_layrnorm.weight"},
    {"visual.ln_pre.bias", "vision_model.pre_layrnorm.bias"},
    {"visual.ln_post.weight", "vision_model.post_layernorm.weight"},
    {"visual.ln_post.bias", "vision_model.post_layernorm.bias"},
    {"token_embedding.weight", "text_model.embeddings.token_embedding.weight"},
    {"positional_embedding", "text_model.embeddings.position_embedding.weight"},
    {"ln_final.weight", "text_model.final_layer_norm.weight"},
    {"ln_final.bias", "text_model.final_layer_norm.bias"},
    {"logit_scale", "logit_scale"},
});

constexpr std::array kBlockNames = std::to_array<Renamed>({
    {"ln_1.weight", "layer_norm1.weight"},
    {"ln_1.bias", "layer_norm1.bias"},
    {"ln_2.weight", "layer_norm2.weight"},
    {"ln_2.bias", "layer_norm2.bias"},
    {"attn.out_proj.weight", "self_attn.out_proj.weight"},
    {"attn.out_proj.bias", "self_attn.out_proj.bias"},
    {"mlp.c_fc.weight", "mlp.fc1.weight"},
    {"mlp.c_fc.bias", "mlp.fc1.bias"},
    {"mlp.c_proj.weight", "mlp.fc2.weight"},
    {"mlp.c_proj.bias", "mlp.fc2.bias"},
});

/// One matrix of q, k and v, where all three are there and fit each other.
void join_attention(const TensorMap& tensors,
                    const std::string& block,
                    const std::string& renamed,
                    TensorMap& joined) {
  for (const char* what : {"weight", "bias"}) {
    std::vector<at::Tensor> parts;
    for (const char* part : {"q_proj", "k_proj", "v_proj"}) {
      const std::string name = fmt::format("{}self_attn.{}.{}", block, part, what);
      if (tensors.contains(name)) parts.push_back(tensors.at(name));
    }
    const auto fits = [&](const at::Tensor& part) {
      return part.dim() > 0 && part.sizes() == parts.front().sizes();
    };
    if (parts.size() != 3 || !fits(parts[0]) || !fits(parts[1]) || !fits(parts[2])) continue;
    joined.set(fmt::format("{}attn.in_proj_{}", renamed, what), at::cat(parts));
  }
}

}  // namespace

ClipNames clip_names_of(const TensorMap& tensors, const std::string& file) {
  if (tensors.contains("vision_model.embeddings.class_embedding")) return ClipNames::kTransformers;
  if (tensors.contains("visual.class_embedding")) {
    const bool is_openai = tensors.contains("input_resolution") || tensors.contains("vocab_size");
    return is_openai ? ClipNames::kOpenAi : ClipNames::kOpenClip;
  }
  const bool is_residual = tensors.contains("visual.layer1.0.conv1.weight");
  throw Error(ErrorKind::kInput,
              fmt::format("{}: {}. Expected a CLIP with a vision transformer under the names of "
                          "OpenAI, open_clip (visual.class_embedding) or transformers "
                          "(vision_model.embeddings.class_embedding)",
                          file,
                          is_residual ? "a CLIP of a residual network (RN50 and the like), "
                                        "which is not known here"
                                      : "no CLIP"));
}

TensorMap with_openai_names(const TensorMap& tensors, ClipNames names) {
  if (names != ClipNames::kTransformers) return tensors;
  TensorMap renamed;
  const auto take = [&](const std::string& from, const std::string& to, bool is_transposed) {
    if (!tensors.contains(from)) return;
    const at::Tensor& tensor = tensors.at(from);
    renamed.set(to, is_transposed && tensor.dim() == 2 ? tensor.t() : tensor);
  };
  for (const auto& [to, from] : kTopNames) take(std::string(from), std::string(to), false);
  take("visual_projection.weight", "visual.proj", true);
  take("text_projection.weight", "text_projection", true);
  for (const auto& [from, to] : {Renamed{"vision_model.", "visual."}, Renamed{"text_model.", ""}}) {
    for (int64_t layer = 0;; ++layer) {
      const std::string block = fmt::format("{}encoder.layers.{}.", from, layer);
      if (!tensors.contains(block + "layer_norm1.weight")) break;
      const std::string name = fmt::format("{}transformer.resblocks.{}.", to, layer);
      for (const auto& [ours, theirs] : kBlockNames) {
        take(block + std::string(theirs), name + std::string(ours), false);
      }
      join_attention(tensors, block, name, renamed);
    }
  }
  return renamed;
}

}  // namespace kvscope
