#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/base/error.h"
#include "core/models/infinity/generate.h"

namespace kvscope::infinity {
namespace {

// A weight that became NaN must end the generation with its scale named, not in a black image.
TEST(Generate, NamesTheScaleWhoseLogitsAreNotFinite) {
  TransformerConfig config;
  config.depth = 1;
  config.width = 16;
  config.heads = 2;
  config.text_channels = 128;
  config.text_max_tokens = 4;
  config.code_bits = 3;
  ImageGeometry image{.schedule = {{1, 1}, {2, 3}, {4, 5}}, .rope_grid = {4, 5}};
  TensorMap tensors = random_transformer(config, at::make_generator<at::CPUGeneratorImpl>(3));
  tensors.set("lvl_embed.weight", tensors.at("lvl_embed.weight")
                                      .index_fill(0, at::scalar_tensor(1, at::kLong),
                                                  std::numeric_limits<double>::quiet_NaN()));
  const TransformerWeights weights = resolve_transformer(config, tensors);

  KvCache cache(full_plan(cache_geometry(config.attention(), next_scale_steps(image.schedule))), 1,
                at::kCPU);
  AttentionContext context{.cache = cache};
  std::vector<at::Generator> generators{at::make_generator<at::CPUGeneratorImpl>(5)};
  const TextFeatures text{at::ones({1, 2, 128}), {2}};
  GenerateOptions options;
  options.cfg = {1.0};
  try {
    generate(config, weights, image, text, options, generators, context);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNumerics);
    EXPECT_THAT(error.what(), testing::HasSubstr("scale 1 (2 x 3)"));
  }
}

}  // namespace
}  // namespace kvscope::infinity
