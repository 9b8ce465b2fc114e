#include "analysis/networks/clip.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "analysis/networks/clip_names.h"
#include "core/base/error.h"
#include "core/checkpoint/weight_check.h"
#include "core/checkpoint/weight_spec.h"

namespace kvscope {
namespace {

std::vector<int64_t> shape_of(const TensorMap& tensors,
                              const std::string& name,
                              int64_t dims,
                              const std::string& file) {
  if (!tensors.contains(name) || tensors.at(name).dim() != dims || tensors.at(name).numel() == 0) {
    throw Error(ErrorKind::kInput, fmt::format("{}: no CLIP: expected tensor '{}' of {} dimensions",
                                               file, name, dims));
  }
  const auto sizes = tensors.at(name).sizes();
  return {sizes.begin(), sizes.end()};
}

int64_t layers_below(const TensorMap& tensors, const std::string& prefix) {
  int64_t layers = 0;
  while (tensors.contains(fmt::format("{}transformer.resblocks.{}.ln_1.weight", prefix, layers))) {
    ++layers;
  }
  return layers;
}

int64_t heads_of(const char* tower, std::optional<int64_t> asked, int64_t width, int64_t usual) {
  const int64_t heads = asked.value_or(usual);
  if (heads > 0 && width % heads == 0) return heads;
  throw Error(ErrorKind::kConfig,
              fmt::format("the {} tower is {} wide and cannot have {} heads; metrics.clip.{}_heads "
                          "says how many there are",
                          tower, width, heads, tower));
}

Clip::Sizes sizes_of(const TensorMap& tensors,
                     const ClipSettings& settings,
                     ClipNames names,
                     const std::string& file) {
  Clip::Sizes sizes;
  const auto convolution = shape_of(tensors, "visual.conv1.weight", 4, file);
  const auto places = shape_of(tensors, "visual.positional_embedding", 2, file);
  const auto texts = shape_of(tensors, "positional_embedding", 2, file);
  sizes.vision_width = convolution[0];
  sizes.patch = convolution[2];
  const auto side = static_cast<int64_t>(std::llround(std::sqrt(places[0] - 1)));
  if (side < 1 || side * side + 1 != places[0]) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: {} places of an image, expected a square and one", file, places[0]));
  }
  sizes.pixels = side * sizes.patch;
  sizes.context = texts[0];
  sizes.text_width = texts[1];
  sizes.vocabulary = shape_of(tensors, "token_embedding.weight", 2, file)[0];
  sizes.features = shape_of(tensors, "visual.proj", 2, file)[1];
  sizes.vision_layers = layers_below(tensors, "visual.");
  sizes.text_layers = layers_below(tensors, "");
  constexpr int64_t kHeadWidth = 64;
  constexpr int64_t kWideFrom = 1280;  // ViT-H, g and bigG have 16 heads of 80, 88 and 104
  const bool is_wide = names == ClipNames::kOpenClip && sizes.vision_width >= kWideFrom;
  sizes.vision_heads = heads_of("vision", settings.vision_heads, sizes.vision_width,
                                is_wide ? 16 : sizes.vision_width / kHeadWidth);
  sizes.text_heads =
      heads_of("text", settings.text_heads, sizes.text_width, sizes.text_width / kHeadWidth);
  return sizes;
}

void add_blocks(std::vector<WeightSpec>& specs,
                const std::string& prefix,
                int64_t layers,
                int64_t width,
                int64_t inner) {
  for (int64_t layer = 0; layer < layers; ++layer) {
    const std::string block = fmt::format("{}transformer.resblocks.{}.", prefix, layer);
    const auto add = [&](const char* name, std::vector<int64_t> shape) {
      specs.push_back({block + name, std::move(shape)});
    };
    add("ln_1.weight", {width});
    add("ln_1.bias", {width});
    add("attn.in_proj_weight", {3 * width, width});
    add("attn.in_proj_bias", {3 * width});
    add("attn.out_proj.weight", {width, width});
    add("attn.out_proj.bias", {width});
    add("ln_2.weight", {width});
    add("ln_2.bias", {width});
    add("mlp.c_fc.weight", {inner, width});
    add("mlp.c_fc.bias", {inner});
    add("mlp.c_proj.weight", {width, inner});
    add("mlp.c_proj.bias", {width});
  }
}

/// Of the first block: MLPs of ViT-g are not four times as wide.
int64_t inner_width(const TensorMap& tensors, const std::string& prefix) {
  const std::string name = prefix + "transformer.resblocks.0.mlp.c_fc.weight";
  const bool is_there = tensors.contains(name) && tensors.at(name).dim() == 2;
  return is_there ? tensors.at(name).size(0) : 0;
}

std::vector<WeightSpec> clip_tensors(const Clip::Sizes& sizes, const TensorMap& tensors) {
  const int64_t vision = sizes.vision_width;
  const int64_t side = sizes.pixels / sizes.patch;
  std::vector<WeightSpec> specs = {{"visual.class_embedding", {vision}},
                                   {"visual.positional_embedding", {side * side + 1, vision}},
                                   {"visual.conv1.weight", {vision, 3, sizes.patch, sizes.patch}},
                                   {"visual.ln_pre.weight", {vision}},
                                   {"visual.ln_pre.bias", {vision}},
                                   {"visual.ln_post.weight", {vision}},
                                   {"visual.ln_post.bias", {vision}},
                                   {"visual.proj", {vision, sizes.features}},
                                   {"token_embedding.weight", {sizes.vocabulary, sizes.text_width}},
                                   {"positional_embedding", {sizes.context, sizes.text_width}},
                                   {"ln_final.weight", {sizes.text_width}},
                                   {"ln_final.bias", {sizes.text_width}},
                                   {"text_projection", {sizes.text_width, sizes.features}}};
  add_blocks(specs, "visual.", sizes.vision_layers, vision, inner_width(tensors, "visual."));
  add_blocks(specs, "", sizes.text_layers, sizes.text_width, inner_width(tensors, ""));
  specs.push_back({.name = "logit_scale", .shape = {}, .buffer = true});
  for (const char* unread : {"input_resolution", "context_length", "vocab_size", "attn_mask"}) {
    specs.push_back(unneeded_tensors(unread, ""));
  }
  return specs;
}

/// Zero where a token may look, minus infinity at those behind it.
at::Tensor causal_mask(int64_t tokens, const at::Tensor& like) {
  return at::full({tokens, tokens}, -std::numeric_limits<double>::infinity(), like.options())
      .triu(1);
}

}  // namespace

Clip::Clip(const TensorMap& published, const std::string& file, const ClipSettings& settings)
    : names_(clip_names_of(published, file)) {
  const TensorMap tensors = with_openai_names(published, names_);
  const bool is_openai = names_ != ClipNames::kOpenClip;
  activation_ =
      settings.activation.value_or(is_openai ? ClipActivation::kQuickGelu : ClipActivation::kGelu);
  sizes_ = sizes_of(tensors, settings, names_, file);
  const std::vector<WeightSpec> specs = clip_tensors(sizes_, tensors);
  require_weights(specs, tensors, file, "CLIP");
  for (const WeightSpec& spec : specs) {
    if (tensors.contains(spec.name) && !spec.unneeded) {
      weights_.set(spec.name, tensors.at(spec.name).to(at::kFloat).contiguous());
    }
  }
}

Clip Clip::to(at::Device device, at::ScalarType dtype) const {
  Clip moved = *this;
  for (const auto& [name, tensor] : weights_) moved.weights_.set(name, tensor.to(device, dtype));
  return moved;
}

at::Device Clip::device() const {
  return weights_.begin()->second.device();
}

double Clip::logit_scale() const {
  if (!weights_.contains("logit_scale")) return 1;
  return std::exp(weight("logit_scale").cpu().to(at::kDouble).sum().item<double>());
}

at::Tensor Clip::norm(const std::string& name, const at::Tensor& x) const {
  constexpr double kEpsilon = 1e-5;
  return at::layer_norm(x, {x.size(-1)}, weight(name + ".weight"), weight(name + ".bias"),
                        kEpsilon);
}

at::Tensor Clip::block(const std::string& name,
                       const at::Tensor& x,
                       int64_t heads,
                       bool is_causal) const {
  const int64_t rows = x.size(0);
  const int64_t tokens = x.size(1);
  const int64_t width = x.size(2);
  const at::Tensor joined = at::linear(norm(name + "ln_1", x), weight(name + "attn.in_proj_weight"),
                                       weight(name + "attn.in_proj_bias"));
  // [3, rows, heads, tokens, head width]
  const at::Tensor qkv =
      joined.view({rows, tokens, 3, heads, width / heads}).permute({2, 0, 3, 1, 4});
  const double scale = 1 / std::sqrt(static_cast<double>(width / heads));
  at::Tensor scores = at::matmul(qkv[0] * scale, qkv[1].transpose(-2, -1));
  if (is_causal) scores = scores + causal_mask(tokens, x);
  const at::Tensor mixed =
      at::matmul(at::softmax(scores, -1), qkv[2]).transpose(1, 2).reshape({rows, tokens, width});
  const at::Tensor attended = x + at::linear(mixed, weight(name + "attn.out_proj.weight"),
                                             weight(name + "attn.out_proj.bias"));
  const at::Tensor inner =
      at::linear(norm(name + "ln_2", attended), weight(name + "mlp.c_fc.weight"),
                 weight(name + "mlp.c_fc.bias"));
  const at::Tensor active = activation_ == ClipActivation::kQuickGelu
                                ? inner * at::sigmoid(1.702 * inner)
                                : at::gelu(inner);
  return attended +
         at::linear(active, weight(name + "mlp.c_proj.weight"), weight(name + "mlp.c_proj.bias"));
}

at::Tensor Clip::tower(const std::string& prefix,
                       at::Tensor x,
                       int64_t layers,
                       int64_t heads,
                       bool is_causal,
                       Trace* trace) const {
  if (trace != nullptr) trace->embedded = x;
  for (int64_t layer = 0; layer < layers; ++layer) {
    x = block(fmt::format("{}transformer.resblocks.{}.", prefix, layer), x, heads, is_causal);
    if (trace != nullptr) trace->blocks.push_back(x);
  }
  return x;
}

at::Tensor Clip::image_features(const at::Tensor& pixels, Trace* trace) const {
  const at::Tensor patches =
      at::conv2d(pixels, weight("visual.conv1.weight"), {}, {sizes_.patch, sizes_.patch})
          .flatten(2)
          .transpose(1, 2);
  const at::Tensor first =
      weight("visual.class_embedding").expand({pixels.size(0), 1, sizes_.vision_width});
  const at::Tensor placed = at::cat({first, patches}, 1) + weight("visual.positional_embedding");
  const at::Tensor out = tower("visual.", norm("visual.ln_pre", placed), sizes_.vision_layers,
                               sizes_.vision_heads, false, trace);
  return at::matmul(norm("visual.ln_post", out.select(1, 0)), weight("visual.proj"));
}

at::Tensor Clip::text_features(const at::Tensor& ids, Trace* trace) const {
  const at::Tensor own = ids.to(weight("token_embedding.weight").device(), at::kLong);
  const at::Tensor placed =
      at::embedding(weight("token_embedding.weight"), own) + weight("positional_embedding");
  const at::Tensor out =
      norm("ln_final", tower("", placed, sizes_.text_layers, sizes_.text_heads, true, trace));
  const at::Tensor rows = at::arange(own.size(0), own.options());
  return at::matmul(out.index({rows, own.argmax(1)}), weight("text_projection"));
}

at::Tensor unit_rows(const at::Tensor& features) {
  return features / features.norm(2, 1, true);
}

}  // namespace kvscope
