#include "core/models/vq/vq_tensors.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <array>
#include <utility>

namespace kvscope {
namespace {

constexpr const char* kCodebook = "quantize.embedding.weight";

void middle(ImageNetworkSpecs& specs, const std::string& network, int64_t channels) {
  specs.residual_block(network + ".mid.0", channels, channels);
  specs.attention(network + ".mid.1", channels);
  specs.residual_block(network + ".mid.2", channels, channels);
}

// The blocks of one level: residual ones, then as many of attention where `attends`.
void level_blocks(ImageNetworkSpecs& specs,
                  const std::string& name,
                  int64_t blocks,
                  int64_t in,
                  int64_t out,
                  bool attends) {
  for (int64_t i = 0; i < blocks; ++i) {
    specs.residual_block(fmt::format("{}.res.{}", name, i), i == 0 ? in : out, out);
  }
  for (int64_t i = 0; attends && i < blocks; ++i) {
    specs.attention(fmt::format("{}.attn.{}", name, i), out);
  }
}

void encoder(ImageNetworkSpecs& specs, const VqConfig& config) {
  specs.convolution("encoder.conv_in", 3, config.base_channels, 3);
  int64_t channels = config.base_channels;
  for (int64_t level = 0; level < config.levels(); ++level) {
    const std::string name = fmt::format("encoder.conv_blocks.{}", level);
    const bool coarsest = level + 1 == config.levels();
    const int64_t out = config.channels(level);
    level_blocks(specs, name, config.encoder_blocks, channels, out, coarsest);
    if (!coarsest) specs.convolution(name + ".downsample.conv", out, out, 3);
    channels = out;
  }
  middle(specs, "encoder", channels);
  specs.norm("encoder.norm_out", channels);
  specs.convolution("encoder.conv_out", channels, config.latent_channels, 3);
}

void decoder(ImageNetworkSpecs& specs, const VqConfig& config) {
  int64_t channels = config.channels(config.levels() - 1);
  specs.convolution("decoder.conv_in", config.latent_channels, channels, 3);
  middle(specs, "decoder", channels);
  for (int64_t block = 0; block < config.levels(); ++block) {
    const std::string name = fmt::format("decoder.conv_blocks.{}", block);
    const int64_t out = config.channels(config.levels() - 1 - block);
    level_blocks(specs, name, config.encoder_blocks + 1, channels, out, block == 0);
    if (block + 1 < config.levels()) specs.upsample(name + ".upsample", out);
    channels = out;
  }
  specs.norm("decoder.norm_out", channels);
  specs.convolution("decoder.conv_out", channels, 3, 3);
}

WeightSpec codebook(const VqConfig& config) {
  return {kCodebook, {config.codebook_entries, config.code_width}};
}

void append(std::vector<WeightSpec>& specs, std::vector<WeightSpec> more) {
  specs.insert(specs.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

std::vector<WeightSpec> projection(const VqConfig& config, const char* name, bool to_codes) {
  ImageNetworkSpecs specs(vq_style(config));
  specs.convolution(name, to_codes ? config.latent_channels : config.code_width,
                    to_codes ? config.code_width : config.latent_channels, 1);
  return specs.take();
}

void replace(std::string& text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
}

}  // namespace

ImageNetworkStyle vq_style(const VqConfig& config) {
  return {.convolution_wrapper = "",
          .norm_wrapper = "",
          .norm_groups = config.norm_groups,
          .other_norm_groups = 0};
}

std::vector<WeightSpec> vq_decoder_tensors(const VqConfig& config) {
  config.check();
  ImageNetworkSpecs network(vq_style(config));
  decoder(network, config);
  std::vector<WeightSpec> specs = network.take();
  specs.push_back(codebook(config));
  append(specs, projection(config, "post_quant_conv", false));
  return specs;
}

int64_t vq_decoder_elements(const VqConfig& config, int64_t tokens) {
  ImageNetworkSpecs network(vq_style(config), tokens);
  decoder(network, config);
  return network.peak_elements();
}

std::vector<WeightSpec> vq_encoder_tensors(const VqConfig& config) {
  config.check();
  ImageNetworkSpecs network(vq_style(config));
  encoder(network, config);
  std::vector<WeightSpec> specs = network.take();
  specs.push_back(codebook(config));
  append(specs, projection(config, "quant_conv", true));
  return specs;
}

std::vector<WeightSpec> vq_tensors(const VqConfig& config) {
  config.check();
  ImageNetworkSpecs networks(vq_style(config));
  encoder(networks, config);
  decoder(networks, config);
  std::vector<WeightSpec> specs = networks.take();
  specs.push_back(codebook(config));
  append(specs, projection(config, "quant_conv", true));
  append(specs, projection(config, "post_quant_conv", false));
  return specs;
}

std::vector<WeightSpec> vq_checkpoint_tensors(const VqConfig& config, const std::string& part) {
  std::vector<WeightSpec> specs = vq_decoder_tensors(config);
  for (WeightSpec& spec : specs) {
    spec.part = part;
    spec.other_names = {vq_hugging_face_name(spec.name)};
  }
  for (const char* name : {"encoder.", "quant_conv.", "quantize.codebook_used"}) {
    specs.push_back(unneeded_tensors(name, part));
  }
  return specs;
}

std::string vq_hugging_face_name(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kRenamed = {
      {{"encoder.conv_blocks.", "encoder.down."},
       {"decoder.conv_blocks.", "decoder.up."},
       {".res.", ".block."},
       {".mid.0.", ".mid.block_1."},
       {".mid.1.", ".mid.attn_1."},
       {".mid.2.", ".mid.block_2."}}};
  std::string renamed = name;
  for (const auto& [from, to] : kRenamed) replace(renamed, from, to);
  return renamed;
}

TensorMap resolve_vq(const std::vector<WeightSpec>& specs,
                     const TensorMap& tensors,
                     const std::string& prefix,
                     at::ScalarType type) {
  const auto spellings = [&](const std::string& name) {
    return std::vector<std::string>{prefix + name, prefix + vq_hugging_face_name(name)};
  };
  TensorMap weights;
  for (const auto& [name, tensor] :
       resolve_weights(specs, tensors, spellings, "the VQ image tokenizer")) {
    weights.set(name, tensor.to(type));
  }
  return weights;
}

TensorMap random_vq(const std::vector<WeightSpec>& specs, at::Generator generator) {
  TensorMap weights = random_image_network(specs, generator);
  if (weights.contains(kCodebook)) {
    at::Tensor rows = weights.at(kCodebook);
    rows.normal_(0, 1, generator);
  }
  return weights;
}

}  // namespace kvscope
