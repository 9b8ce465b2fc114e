// model.precision=compact_weights: matrices and image decoder in bf16, the plan says so, and what
// is generated stays close to the fp32 model and independent of the batch.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/config/yaml.h"
#include "core/engine/kv_cache.h"
#include "core/models/image_model.h"
#include "core/models/image_seed.h"
#include "core/models/model_memory.h"

namespace kvscope {
namespace {

struct Family {
  const char* name;
  const char* keys;
  std::vector<std::string> prompts;
};

std::vector<Family> families() {
  return {
      {"infinity",
       "tokenizer: null, layers: null, transformer: {depth: 2, chunks: 1, width: 32, heads: 2, "
       "feed_forward_width: 64, text_channels: 128, text_max_tokens: 8, code_bits: 4, "
       "patchify: false}, picture: {schedule: [[1, 1], [2, 2], [3, 3], [6, 6]]}, "
       "vae: {base_channels: 4, channel_multipliers: [1, 1, 1], encoder_blocks: 1, "
       "norm_groups: 2}, text: {d_model: 128, layers: 1, heads: 2, d_kv: 8, d_ff: 16, "
       "vocabulary: 45}",
       {"a red circle", "two blue squares"}},
      {"var",
       "layers: null, transformer: {depth: 2, width: 30, heads: 3, classes: 7}, "
       "picture: {schedule: [[1, 1], [2, 2], [3, 3], [6, 6]]}, "
       "vae: {base_channels: 4, channel_multipliers: [1, 2], encoder_blocks: 1, norm_groups: 4, "
       "codes: 300, code_width: 6}",
       {"3", "0"}},
      {"janus",
       "tokenizer: null, layers: null, transformer: {depth: 2, width: 32, heads: 2, "
       "feed_forward_width: 48, text_max_tokens: 24, text_vocabulary: 300}, "
       "picture: {grid: [4, 4]}, vq: {codebook_entries: 31, code_width: 5, base_channels: 8, "
       "channel_multipliers: [1, 2], norm_groups: 4}",
       {"a", "two blue"}},
      {"llamagen",
       "layers: null, transformer: {depth: 2, width: 32, heads: 2, kv_heads: 1, "
       "feed_forward_width: 48, conditioning: class, classes: 9}, picture: {grid: [4, 4]}, "
       "vq: {codebook_entries: 31, code_width: 5, base_channels: 8, channel_multipliers: [1, 2], "
       "norm_groups: 4}",
       {"3", "8"}},
  };
}

ConfigNode config_of(const Family& family, const std::string& precision) {
  return load_yaml_text(std::string("{name: tiny, family: ") + family.name +
                            ", weights: random, precision: " + precision + ", " + family.keys + "}",
                        "test");
}

GeneratedBatch generate(ImageModel& model, std::span<const std::string> prompts, uint64_t seed) {
  SamplingOptions options;
  options.cfg = {3};
  const auto images = static_cast<int64_t>(prompts.size());
  KvCache cache(full_plan(model.geometry()), model.rows(images, options), at::kCPU);
  AttentionContext context{.cache = cache};
  std::vector<at::Generator> generators;
  for (int64_t image = 0; image < images; ++image) {
    generators.push_back(image_generator(seed + static_cast<uint64_t>(image), 0, 0));
  }
  return model.generate(prompts, options, generators, context);
}

class CompactWeights : public testing::TestWithParam<Family> {};

TEST_P(CompactWeights, ImagesDoNotDependOnTheBatch) {
  const auto model = open_model(config_of(GetParam(), "compact_weights"), "", at::kCPU);
  EXPECT_EQ(model->geometry().key_type, at::kBFloat16);
  const std::vector<std::string>& prompts = GetParam().prompts;
  const GeneratedBatch both = generate(*model, prompts, 5);
  const GeneratedBatch alone = generate(*model, std::span(prompts).subspan(1, 1), 6);
  ASSERT_EQ(both.images.size(), 2);
  EXPECT_EQ(both.tokens[1], alone.tokens[0]);
  EXPECT_EQ(both.images[1], alone.images[0]);
}

TEST_P(CompactWeights, ThePlanCountsHalfTheBytesOfMatrices) {
  const BatchShape one{.images = 1, .rows = 2};
  const auto bytes = [&](const std::string& precision, const std::string& part) {
    for (const WeightPart& weights : model_memory(config_of(GetParam(), precision), one).weights) {
      if (weights.name == part) return static_cast<double>(weights.bytes);
    }
    return std::nan("");
  };
  const double transformer = bytes("compact_weights", "transformer") / bytes("fp32", "transformer");
  EXPECT_GT(transformer, 0.5);
  EXPECT_LT(transformer, 0.9);
  const double decoder = bytes("compact_weights", "image decoder") / bytes("fp32", "image decoder");
  EXPECT_GE(decoder, 0.5);
  EXPECT_LT(decoder, 0.8);
}

INSTANTIATE_TEST_SUITE_P(EveryFamily,
                         CompactWeights,
                         testing::ValuesIn(families()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace kvscope
