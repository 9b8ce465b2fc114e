// Cached generation against teacher forcing: the same model over all scales at once under a
// block-causal mask must give the logits of the step by step loop.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "core/models/infinity/codes.h"
#include "core/models/infinity/generate.h"
#include "core/models/infinity/teacher_forcing.h"
#include "core/models/shared/guidance.h"

namespace kvscope::infinity {
namespace {

struct Case {
  const char* name;
  int64_t heads, head_dim;
  int64_t images;
  std::vector<double> cfg;
  bool shared_ada_lin, patchify, swiglu;
  int64_t rope_mode;
  Schedule schedule;
};

TransformerConfig config_of(const Case& c) {
  TransformerConfig config;
  config.depth = 3;
  config.chunks = 3;
  config.heads = c.heads;
  config.width = c.heads * c.head_dim;
  config.text_channels = 128;
  config.text_max_tokens = 9;
  config.code_bits = 5;
  config.patchify = c.patchify;
  config.shared_ada_lin = c.shared_ada_lin;
  config.swiglu = c.swiglu;
  config.rope_mode = c.rope_mode;
  return config;
}

// Random weights that leave nothing near zero: biases and gates too.
TransformerWeights spiky_weights(const TransformerConfig& config, at::Generator generator) {
  TensorMap tensors = random_transformer(config, generator);
  for (const auto& [name, tensor] : tensors) {
    tensor.add_(at::randn(tensor.sizes(), generator), 0.1);
    tensor.view({-1}).slice(0, 0, {}, 97).mul_(3);
  }
  return resolve_transformer(config, tensors);
}

TextFeatures random_text(const Case& c, at::Generator generator) {
  TextFeatures text{at::zeros({c.images, 7, 128}), {}};
  for (int64_t image = 0; image < c.images; ++image) {
    const int64_t length = 7 - 3 * image;
    text.lengths.push_back(length);
    text.features[image].narrow(0, 0, length).copy_(at::randn({length, 128}, generator));
  }
  return text;
}

at::Tensor all_at_once(const TransformerConfig& config,
                       const TransformerWeights& weights,
                       const ImageGeometry& image,
                       const TextFeatures& text,
                       bool doubled,
                       const std::vector<at::Tensor>& token_bits) {
  const auto scales = static_cast<int64_t>(image.schedule.size());
  const auto [height, width] = image.latent(scales - 1, config.patchify);
  at::Tensor summed = at::zeros({text.features.size(0), config.code_bits, height, width});
  std::vector<at::Tensor> inputs;
  for (int64_t si = 0; si + 1 < scales; ++si) {
    const at::Tensor& bits = token_bits[static_cast<size_t>(si)];
    summed = accumulate(summed, bits_to_codes(config.patchify ? unpatch_bits(bits) : bits), image,
                        si, config.patchify);
    const at::Tensor input = next_input(summed, image, si + 1, config.patchify);
    inputs.push_back(doubled ? input.repeat({2, 1, 1}) : input);
  }
  const Conditioning conditioning =
      condition(config, weights, doubled ? with_unconditional(weights, text) : text);
  return teacher_forcing(config, weights, image, conditioning, inputs, scales);
}

class CachedForward : public testing::TestWithParam<Case> {};

TEST_P(CachedForward, EqualsTeacherForcing) {
  const Case& c = GetParam();
  at::Generator generator = at::detail::createCPUGenerator(19);
  const TransformerConfig config = config_of(c);
  const TransformerWeights weights = spiky_weights(config, generator);
  const ImageGeometry image{c.schedule, {9, 11}};
  const TextFeatures text = random_text(c, generator);
  const bool doubled = guided(c.cfg);

  GenerateOptions options;
  options.cfg = c.cfg;
  options.tau = {0.7};
  KvCache cache(full_plan(cache_geometry(config.attention(), next_scale_steps(image.schedule))),
                cache_rows(c.images, c.cfg), at::kCPU);
  AttentionContext context{.cache = cache};
  std::vector<at::Generator> generators;
  for (int64_t number = 0; number < c.images; ++number) {
    generators.push_back(at::detail::createCPUGenerator(static_cast<uint64_t>(100 + number)));
  }
  std::vector<at::Tensor> logits;
  const Generation generation =
      generate(config, weights, image, text, options, generators, context,
               [&](const StepResult& step) { logits.push_back(step.logits); });

  const at::Tensor expected =
      all_at_once(config, weights, image, text, doubled, generation.token_bits);
  const std::vector<double> cfg = per_step(c.cfg, c.schedule.size(), "cfg");
  int64_t begin = 0;
  for (size_t si = 0; si < c.schedule.size(); ++si) {
    const int64_t tokens = c.schedule[si].first * c.schedule[si].second;
    const at::Tensor part = expected.narrow(1, begin, tokens).to(at::kDouble) / 0.7;
    at::Tensor mixed = part.narrow(0, 0, c.images);
    if (cfg[si] != 1) {
      mixed = cfg[si] * mixed + (1 - cfg[si]) * part.narrow(0, c.images, c.images);
    }
    EXPECT_LE((logits[si] - mixed).abs().max().item<double>(), 2e-4) << "scale " << si;
    begin += tokens;
  }
}

const Schedule kOdd = {{1, 1}, {2, 3}, {3, 5}, {5, 3}, {7, 5}};

INSTANTIATE_TEST_SUITE_P(
    Shapes,
    CachedForward,
    testing::Values(
        Case{"Plain", 4, 16, 1, {1}, true, false, false, 2, kOdd},
        Case{"Guided", 4, 16, 1, {3}, true, false, false, 2, kOdd},
        Case{"GuidedAtSomeScales", 3, 12, 2, {3, 1, 2, 1, 4}, true, false, false, 2, kOdd},
        Case{"HeadDim20", 5, 20, 2, {2.5}, true, false, false, 2, kOdd},
        Case{"HeadDim4", 7, 4, 2, {1}, true, false, false, 2, kOdd},
        Case{"OwnAdaLin", 3, 12, 2, {3}, false, false, false, 2, kOdd},
        Case{"Patchify", 4, 12, 2, {3}, true, true, false, 2, kOdd},
        Case{"PatchifyOwnAdaLin", 2, 28, 1, {1}, false, true, false, 2, kOdd},
        Case{"GatedFeedForward", 4, 32, 1, {3}, true, false, true, 2, kOdd},
        Case{"RawPositions", 4, 12, 1, {3}, true, false, false, 0, kOdd},
        Case{"ResampledPositions", 4, 12, 1, {3}, true, false, false, 1, kOdd},
        Case{"OneScale", 2, 8, 1, {3}, true, false, false, 2, {{1, 1}}}),
    [](const auto& shape) { return std::string(shape.param.name); });

// One image alone and the same image in a batch: text padding and the other image leave no trace.
TEST(InfinityGenerate, DoesNotDependOnTheBatch) {
  const Case c{"", 3, 12, 2, {3, 1, 2, 1, 4}, true, false, false, 2, kOdd};
  at::Generator generator = at::detail::createCPUGenerator(5);
  const TransformerConfig config = config_of(c);
  const TransformerWeights weights = spiky_weights(config, generator);
  const ImageGeometry image{c.schedule, {9, 11}};
  const TextFeatures text = random_text(c, generator);
  const auto run = [&](const TextFeatures& features, std::vector<uint64_t> seeds) {
    KvCache cache(full_plan(cache_geometry(config.attention(), next_scale_steps(image.schedule))),
                  cache_rows(features.features.size(0), c.cfg), at::kCPU);
    AttentionContext context{.cache = cache};
    std::vector<at::Generator> generators;
    for (const uint64_t seed : seeds) {
      generators.push_back(at::detail::createCPUGenerator(seed));
    }
    GenerateOptions options;
    options.cfg = c.cfg;
    return generate(config, weights, image, features, options, generators, context);
  };
  const Generation both = run(text, {1, 2});
  const int64_t length = text.lengths[1];
  const Generation alone = run({text.features.narrow(0, 1, 1).narrow(1, 0, length), {length}}, {2});
  for (size_t si = 0; si < c.schedule.size(); ++si) {
    EXPECT_TRUE(at::equal(both.token_bits[si][1], alone.token_bits[si][0])) << "scale " << si;
  }
  EXPECT_LE((both.summed_codes[1] - alone.summed_codes[0]).abs().max().item<double>(), 1e-6);
}

}  // namespace
}  // namespace kvscope::infinity
