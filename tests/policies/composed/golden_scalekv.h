#pragma once

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/safetensors.h"
#include "core/models/infinity/generate.h"
#include "test_paths.h"

namespace kvscope {

/// A tiny Infinity model under the released ScaleKV code with the released 2B budget file.
struct GoldenScaleKv {
  SafetensorsReader file{std::filesystem::path(kSourceDir) / "tests/golden" /
                         "scalekv_tiny_2b.safetensors"};
  /// The same weights as infinity_tiny's, kept there alone.
  SafetensorsReader lender{std::filesystem::path(kSourceDir) / "tests/golden" /
                           file.metadata("weights_from")};
  infinity::TransformerConfig config;
  infinity::ImageGeometry image = infinity::published_geometry(1.0, "1M");

  GoldenScaleKv() {
    const auto integer = [&](const char* key) { return std::stoll(file.metadata(key)); };
    config.depth = integer("depth");
    config.chunks = integer("chunks");
    config.width = integer("width");
    config.heads = integer("heads");
    config.text_channels = integer("text_channels");
    config.code_bits = integer("vae_bits");
  }

  /// With the last scale stored and evicted from, as the released code does.
  [[nodiscard]] CacheGeometry geometry() const {
    CacheGeometry geometry = cache_geometry(config.attention(), next_scale_steps(image.schedule));
    geometry.steps.back().stored = true;
    return geometry;
  }

  /// What the released code kept of each (row, head); nullopt where it dropped nothing.
  [[nodiscard]] std::optional<KeptIndices> recorded(int64_t step, int64_t layer) const {
    const auto name = fmt::format("kept.{}.{}", step, layer);
    if (!file.contains(name)) return std::nullopt;
    const at::Tensor kept = file.tensor(name).to(at::kLong).flatten(0, 1).contiguous();
    KeptIndices indices;
    for (int64_t slot = 0; slot < kept.size(0); ++slot) {
      const auto* line = kept.const_data_ptr<int64_t>() + slot * kept.size(1);
      indices.emplace_back(line, line + kept.size(1));
    }
    return indices;
  }

  /// Draws the recorded bits through `context`.
  void generate(AttentionContext& context,
                const std::function<void(const infinity::StepResult&)>& on_step) const {
    infinity::GenerateOptions options;
    for (std::size_t scale = 0; scale < image.schedule.size(); ++scale) {
      options.forced_bits.push_back(file.tensor(fmt::format("bits.{}", scale)));
    }
    const infinity::TextFeatures text{.features = file.tensor("text.kv").unsqueeze(0),
                                      .lengths = {file.tensor("text.lens").item<int64_t>()}};
    std::vector<at::Generator> generators{at::detail::createCPUGenerator(7)};
    const auto weights = infinity::resolve_transformer(config, lender.tensors(), "model.");
    infinity::generate(config, weights, image, text, options, generators, context, on_step);
  }
};

}  // namespace kvscope
