// A tiny Infinity model under the released ScaleKV code with the released 2B budget file.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/checkpoint/safetensors.h"
#include "core/models/infinity/generate.h"
#include "policies/replay.h"
#include "policy_run.h"
#include "test_paths.h"

namespace kvscope {
namespace {

struct Golden {
  SafetensorsReader file{std::filesystem::path(kSourceDir) / "tests/golden" /
                         "scalekv_tiny_2b.safetensors"};
  infinity::TransformerConfig config;
  infinity::PictureGeometry picture = infinity::published_geometry(1.0, "1M");

  Golden() {
    const auto integer = [&](const char* key) { return std::stoll(file.metadata(key)); };
    config.depth = integer("depth");
    config.chunks = integer("chunks");
    config.width = integer("width");
    config.heads = integer("heads");
    config.text_channels = integer("text_channels");
    config.code_bits = integer("vae_bits");
  }
};

std::optional<KeptIndices> recorded(const SafetensorsReader& file, int64_t step, int64_t layer) {
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

TEST(GoldenScaleKv, KeepsTheSameTokensAndDrawsTheSameLogits) {
  const Golden golden;
  const SafetensorsReader& file = golden.file;
  CacheGeometry geometry =
      infinity::cache_geometry(golden.config, golden.picture, at::kFloat, at::kFloat);
  geometry.steps.back().stored = true;  // the released code stores and cuts the last scale too
  ConfigNode config = named_policy(std::filesystem::path(kSourceDir) / "configs/policy", "scalekv");
  config.set_path("allocate.table", "released_2b");
  const auto policy = make_policy(config);
  KvCache cache(policy->plan(geometry, Budget::of_tokens(650)), 2, at::kCPU);
  Replay replay(*policy, [&](int64_t step, int64_t layer) { return recorded(file, step, layer); });
  AttentionContext context{.cache = cache, .controller = &replay};
  replay.begin_generation(cache.rows());

  infinity::GenerateOptions options;
  for (std::size_t scale = 0; scale < geometry.steps.size(); ++scale) {
    options.forced_bits.push_back(file.tensor(fmt::format("bits.{}", scale)));
  }
  const infinity::TextFeatures text{.features = file.tensor("text.kv").unsqueeze(0),
                                    .lengths = {file.tensor("text.lens").item<int64_t>()}};
  std::vector<at::Generator> generators{at::detail::createCPUGenerator(7)};
  // The same weights as infinity_tiny's, kept there alone.
  const SafetensorsReader lender(std::filesystem::path(kSourceDir) / "tests/golden" /
                                 file.metadata("weights_from"));
  const auto weights = infinity::resolve_transformer(golden.config, lender.tensors(), "model.");
  infinity::generate(
      golden.config, weights, golden.picture, text, options, generators, context,
      [&](const infinity::StepResult& result) {
        const auto name = fmt::format("logits.{}", result.step.index);
        if (file.contains(name)) {
          EXPECT_LT((result.logits - file.tensor(name)).abs().max().item<double>(), 1e-4) << name;
        }
      });

  int64_t identical = 0;
  for (const DecisionComparison& comparison : replay.comparisons()) {
    EXPECT_EQ(comparison.different(), 0)
        << "step " << comparison.step << ", layer " << comparison.layer;
    identical += comparison.identical;
  }
  EXPECT_EQ(replay.comparisons().size(), 24u);
  // Pooled scores come in runs of five equal ones and cuts fall on them. Their order under topk can
  // turn on the last bit of another score, hence on the summation order of attention: one of the
  // 192 sets has such a neighbour, two scores that differ by 1e-6 of their size.
  EXPECT_GE(identical, 191);
  // Of the last layer: its keys are computed from what every layer before it kept.
  for (const int64_t layer : {golden.config.depth - 1}) {
    const at::Tensor expected = file.tensor(fmt::format("cache.k.{}", layer));
    for (int64_t slot = 0; slot < 2 * golden.config.heads; ++slot) {
      const int64_t row = slot / golden.config.heads;
      const int64_t head = slot % golden.config.heads;
      EXPECT_LT((cache.keys(layer, row, head) - expected[row][head]).abs().max().item<double>(),
                1e-4);
    }
  }
}

}  // namespace
}  // namespace kvscope
