#include "core/models/var/pipeline.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "core/config/yaml.h"
#include "core/models/var/generate.h"
#include "core/models/var/vqvae.h"
#include "core/models/var/weights.h"
#include "test_paths.h"

namespace kvscope::var {
namespace {

using testing::AllOf;
using testing::HasSubstr;

ConfigNode tiny(const std::string& weights = "random", const std::string& extra = "") {
  return load_yaml_text(
      "name: tiny\nfamily: var\nweights: " + weights +
          "\nprecision: fp32\nlayers: null\n"
          "transformer: {depth: 2, width: 30, heads: 3, classes: 7, shared_ada_lin: false}\n"
          "picture: {schedule: [[1, 1], [2, 3], [4, 5]]}\n"
          "vae: {base_channels: 4, channel_multipliers: [1, 2], encoder_blocks: 1, norm_groups: 4, "
          "codes: 300, code_width: 6}\n" +
          extra,
      "test");
}

std::string message_of(const std::function<void()>& action, ErrorKind kind) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "no error";
}

GeneratedBatch made(ImageModel& model,
                    const std::vector<std::string>& prompts,
                    const std::vector<uint64_t>& seeds,
                    const SamplingOptions& options = {.cfg = {1.5}}) {
  KvCache cache(full_plan(model.geometry()),
                model.rows(static_cast<int64_t>(prompts.size()), options), at::kCPU);
  AttentionContext context{.cache = cache};
  std::vector<at::Generator> generators;
  for (const uint64_t seed : seeds) generators.push_back(at::detail::createCPUGenerator(seed));
  return model.generate(prompts, options, generators, context);
}

TEST(VarModel, MixedLabelsTogetherAndAlone) {
  const auto model = open_model(tiny(), "", at::kCPU);
  const GeneratedBatch together = made(*model, {"3", "0", "6"}, {1, 2, 3});
  ASSERT_EQ(together.images.size(), 3u);
  EXPECT_EQ(together.images[0].height, 8);
  EXPECT_EQ(together.images[0].width, 10);
  EXPECT_EQ(together.times.step_ms.size(), 3u);
  EXPECT_EQ(together.tokens[0].size(), 2u * (1 + 6 + 20));
  const std::vector<std::string> labels = {"3", "0", "6"};
  for (size_t image = 0; image < 3; ++image) {
    const GeneratedBatch alone = made(*model, {labels[image]}, {image + 1});
    EXPECT_EQ(alone.tokens[0], together.tokens[image]) << image;
    EXPECT_EQ(alone.images[0], together.images[image]) << image;
  }
  EXPECT_NE(made(*model, {"3"}, {9}).tokens[0], together.tokens[0]);
  // Random weights say little about a label; strong guidance brings it out.
  EXPECT_NE(made(*model, {"4"}, {1}, {.cfg = {60.0}}).tokens,
            made(*model, {"3"}, {1}, {.cfg = {60.0}}).tokens);
}

TEST(VarModel, WithoutGuidanceARowAnImageIsEnough) {
  const auto model = open_model(tiny(), "", at::kCPU);
  EXPECT_EQ(model->rows(3, {.cfg = {0.0}}), 3);
  EXPECT_EQ(model->rows(3, {.cfg = {1.0}}), 6);
  EXPECT_EQ(model->rows(3, {.cfg = {0, 0, 2}}), 6);
  // Listed zeros and one small strength: the guided batch samples what the single one does.
  const GeneratedBatch single = made(*model, {"5"}, {4}, {.cfg = {0.0}});
  const GeneratedBatch doubled = made(*model, {"5"}, {4}, {.cfg = {0.0, 0.0, 1e-9}});
  EXPECT_EQ(single.tokens, doubled.tokens);
  EXPECT_DOUBLE_EQ(var_facts(tiny()).unguided, 0.0);
}

TEST(VarModel, APromptThatIsNoClassIsNamed) {
  const auto model = open_model(tiny(), "", at::kCPU);
  EXPECT_THAT(message_of([&] { made(*model, {"7"}, {1}); }, ErrorKind::kConfig),
              AllOf(HasSubstr("'7'"), HasSubstr("0..6")));
}

// A checkpoint of both parts in one file, and of one file each under bare names.
TEST(VarModel, LoadsWhatWasSaved) {
  const ModelDescription d = describe_model(tiny());
  at::Generator generator = at::detail::createCPUGenerator(77);
  const TensorMap transformer = random_transformer(d.transformer, d.schedule, generator);
  std::vector<WeightSpec> specs = quantizer_tensors(d.vae);
  for (const WeightSpec& spec : decoder_tensors(d.vae)) specs.push_back(spec);
  const TensorMap vae = random_vqvae(specs, generator);
  const std::filesystem::path folder = testing::TempDir();
  std::vector<std::pair<std::string, at::Tensor>> together;
  for (const auto& [name, tensor] : transformer) together.emplace_back("model." + name, tensor);
  for (const auto& [name, tensor] : vae) together.emplace_back("vae." + name, tensor);
  together.emplace_back("model.lvl_1L", at::zeros({1, 27}, at::kLong));
  write_safetensors(folder / "var_together.safetensors", together);
  write_safetensors(folder / "var_model.safetensors", transformer.entries());
  write_safetensors(folder / "var_vae.safetensors", vae.entries());

  const auto one = open_model(tiny("var_together.safetensors"), folder.string(), at::kCPU);
  const auto two = open_model(tiny("var_model.safetensors", "vae_weights: var_vae.safetensors\n"),
                              folder.string(), at::kCPU);
  const GeneratedBatch expected = made(*one, {"1"}, {5});
  const GeneratedBatch same = made(*two, {"1"}, {5});
  EXPECT_EQ(expected.tokens, same.tokens);
  EXPECT_EQ(expected.images, same.images);
  EXPECT_NE(made(*open_model(tiny(), "", at::kCPU), {"1"}, {5}).images, same.images);

  EXPECT_THAT(
      message_of([&] { open_model(tiny("var_model.safetensors"), folder.string(), at::kCPU); },
                 ErrorKind::kConfig),
      AllOf(HasSubstr("model.vae_weights is not set"), HasSubstr("var_model.safetensors")));

  together.erase(together.begin() + 4);
  write_safetensors(folder / "var_together.safetensors", together);
  EXPECT_THAT(
      message_of([&] { open_model(tiny("var_together.safetensors"), folder.string(), at::kCPU); },
                 ErrorKind::kInput),
      AllOf(HasSubstr("var_together.safetensors does not fit tiny"), HasSubstr("missing")));
}

TEST(VarModel, WhatTheConfigSaysWrongIsNamed) {
  const auto error = [](const std::string& key, const std::string& value) {
    ConfigNode model = tiny();
    model.set_path(key, load_yaml_text("v: " + value, "test").at("v"));
    return message_of([&] { describe_model(model); }, ErrorKind::kConfig);
  };
  EXPECT_THAT(error("layers", "3"), HasSubstr("1..2"));
  EXPECT_THAT(error("transformer.heads", "7"), HasSubstr("heads 7"));
  EXPECT_THAT(error("picture.schedule", "[]"), HasSubstr("schedule"));
  EXPECT_THAT(error("picture.schedule", "[[1, 0]]"), HasSubstr("[height, width]"));
  EXPECT_THAT(error("vae.norm_groups", "3"), HasSubstr("norm_groups"));
  EXPECT_THAT(error("transformer.size", "var_d17"), HasSubstr("var_d16"));
  ConfigNode model = tiny();
  model.set_path("precision", "fp16");
  EXPECT_THAT(message_of([&] { var_facts(model); }, ErrorKind::kConfig), HasSubstr("fp16"));
}

TEST(VarModel, FactsAndTensorsOfThePublishedConfigs) {
  const auto facts_of = [](const char* file) {
    ConfigNode model = load_yaml_file(std::filesystem::path(kSourceDir) / "configs/model" / file);
    model.erase("defaults");
    return model_facts(model);
  };
  const ModelFacts d16 = facts_of("var_d16.yaml");
  EXPECT_EQ(d16.parameters, 310'283'520);
  EXPECT_EQ(d16.image_height, 256);
  EXPECT_EQ(full_cache_tokens(d16.cache.steps), 424);
  EXPECT_EQ(d16.cache.token_bytes(), 2 * 64 * 2);
  const ModelFacts d36 = facts_of("var_d36.yaml");
  EXPECT_EQ(d36.parameters, 2'353'893'904);
  EXPECT_EQ(d36.image_width, 512);
  EXPECT_EQ(d36.cache.layers, 36);
  for (const WeightSpec& spec : var_tensors(tiny())) {
    EXPECT_TRUE(spec.part == "model." || spec.part == "vae.") << spec.name;
  }
}

}  // namespace
}  // namespace kvscope::var
