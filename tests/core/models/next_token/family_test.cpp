// A family that exists nowhere but here: what every family gets from its value.
#include "core/models/next_token/family.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "core/config/yaml.h"
#include "core/engine/kv_cache.h"
#include "core/models/next_token/family_tensors.h"
#include "core/models/shared/rotation_tables.h"
#include "core/models/vq/vq_tensors.h"

namespace kvscope::next_token {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kClasses = "classes.weight";
constexpr const char* kCodes = "codes.weight";
constexpr const char* kHead = "head.weight";

NextTokenFamily plain_family() {
  return {.title = "Plain",
          .names = {.transformer = "the plain transformer",
                    .decoder = llama_names("layers_of."),
                    .head = kHead,
                    .vq = "vision.",
                    .other_prefixes = {{"layers_of.", "model.layers_of."}, {"codes.", "ids."}},
                    .kept_as_stored = {kClasses}},
          .tensors_before = [](const ModelDescription& model) -> std::vector<WeightSpec> {
            return {{kClasses, {model.condition.classes + 1, model.decoder.width}},
                    {kCodes, {model.vq.codebook_entries, model.decoder.width}}};
          },
          .tensors_behind = [](const ModelDescription& model) -> std::vector<WeightSpec> {
            return {{kHead, {model.vq.codebook_entries, model.decoder.width}}};
          },
          .rotation =
              [](const ModelDescription& model) {
                return line_rotation(model.positions(), model.decoder.head_dim(), model.rope_theta);
              },
          .condition =
              [](const ConditionSource& source, std::span<const std::string> prompts,
                 std::span<const ConditionRow> rows) {
                return class_condition(source.tensors.at(kClasses),
                                       classes_of_prompts(prompts, source.model.condition.classes),
                                       rows);
              },
          .embed = [](const TensorMap& tensors) -> TensorFunction {
            return [table = tensors.at(kCodes)](const at::Tensor& ids) {
              return table.index_select(0, ids);
            };
          },
          .head = [](const TensorMap& tensors) -> TensorFunction {
            return
                [weight = tensors.at(kHead)](const at::Tensor& x) { return at::linear(x, weight); };
          }};
}

ConfigNode group(const std::string& weights) {
  return load_yaml_text("{name: plain, family: plain, precision: fp32, weights: " + weights +
                            ", transformer: {depth: 2, width: 24, heads: 3, feed_forward_width: "
                            "40}, picture: {grid: [2, 3]}, vq: {base_channels: 32, "
                            "channel_multipliers: [1, 1], encoder_blocks: 1, latent_channels: 32, "
                            "codebook_entries: 40, code_width: 4}}",
                        "test");
}

GeneratedBatch generated(const ModelFamily& family,
                         const std::string& weights,
                         const std::string& root) {
  const auto model = family.open(group(weights), root, at::kCPU);
  SamplingOptions options;
  options.cfg = {4};
  KvCache cache(full_plan(model->geometry()), model->rows(1, options), at::kCPU);
  AttentionContext context{.cache = cache};
  std::vector<at::Generator> generators = {image_generator(1, 0, 0)};
  const std::vector<std::string> prompts = {"7"};
  return model->generate(prompts, options, generators, context);
}

TEST(NextTokenFamily, WithoutPublishedSizesHasNoKeyForOne) {
  const NextTokenFamily plain = plain_family();
  Options options = Options::describing("model");
  model_family(plain).ask(options);
  std::vector<std::string> keys;
  for (const OptionInfo& option : options.asked()) keys.push_back(option.key);
  EXPECT_THAT(keys, Not(Contains("model.transformer.size")));
  EXPECT_THAT(keys, Contains("model.transformer.depth"));
}

TEST(NextTokenFamily, StatesFactsWithoutWeights) {
  const NextTokenFamily plain = plain_family();
  const ModelFacts facts = model_family(plain).facts(group("random"));
  EXPECT_EQ(facts.parameters,
            1001 * 24 + 40 * 24 + 2 * (4 * 24 * 24 + 3 * 24 * 40 + 2 * 24) + 24 + 40 * 24);
  EXPECT_EQ(facts.cache.steps.size(), 7);
  EXPECT_EQ(facts.image_width, 6);
}

TEST(NextTokenFamily, MakesTheSameImageOfRandomWeightsAndOfTheirFilesInEitherSpelling) {
  const NextTokenFamily plain = plain_family();
  const ModelFamily family = model_family(plain);
  const GeneratedBatch random = generated(family, "random", "");

  // What a random model is made of, in the order in which it is made.
  const ModelDescription description = describe(plain, group("random"));
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(0);
  const TensorMap transformer = random_transformer(plain, description, at::kFloat, generator);
  const TensorMap vq = random_vq(vq_decoder_tensors(description.vq), generator);
  std::vector<TensorMap::Entry> published, other;
  for (const auto& [name, tensor] : transformer) {
    published.emplace_back("model." + name, tensor);
    other.emplace_back(other_name(plain.names, name), tensor);
  }
  for (const auto& [name, tensor] : vq) {
    published.emplace_back("vision." + name, tensor);
    other.emplace_back("vision." + vq_hugging_face_name(name), tensor);
  }
  const std::filesystem::path folder = testing::TempDir();
  write_safetensors(folder / "plain_published.safetensors", published);
  write_safetensors(folder / "plain_other.safetensors", other);
  for (const char* file : {"plain_published.safetensors", "plain_other.safetensors"}) {
    const GeneratedBatch loaded = generated(family, file, folder.string());
    EXPECT_EQ(loaded.tokens, random.tokens) << file;
    EXPECT_EQ(loaded.images, random.images) << file;
  }
}

TEST(NextTokenFamily, NamesWhatDoesNotFit) {
  NextTokenFamily plain = plain_family();
  plain.head_dim_multiple = 5;
  EXPECT_THAT([&] { describe(plain, group("random")); },
              testing::ThrowsMessage<Error>(HasSubstr("head_dim 8")));
  plain = plain_family();
  plain.sizes = {{"plain_s", 2, 3, 24, 40}, {"plain_m", 4, 6, 48, 80}};
  ConfigNode model = group("random");
  model.set_path("transformer.size", "plain_x");
  EXPECT_THAT(
      [&] { describe(plain, model); },
      testing::ThrowsMessage<Error>(AllOf(HasSubstr("unknown Plain size"), HasSubstr("plain_s"))));
}

}  // namespace
}  // namespace kvscope::next_token
