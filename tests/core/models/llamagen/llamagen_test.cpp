// LlamaGen: published sizes, conditions, images.
#include "core/models/llamagen/llamagen.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "core/config/yaml.h"
#include "core/engine/kv_cache.h"
#include "core/models/image_model.h"
#include "core/models/llamagen/caption.h"
#include "core/models/next_token/family_tensors.h"
#include "core/models/vq/vq_tensors.h"
#include "test_paths.h"

namespace kvscope::llamagen {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

ConfigNode published(const std::string& name) {
  ConfigNode model = load_yaml_file(fs::path(kSourceDir) / "configs/model" / (name + ".yaml"));
  model.erase("defaults");
  return model;
}

double megabytes(const ModelFacts& facts, int64_t tokens) {
  const CacheGeometry& cache = facts.cache;
  return static_cast<double>(2 * tokens * cache.layers * cache.heads * cache.token_bytes()) / 1e6;
}

TEST(LlamaGenSizes, HaveThePublishedParameters) {
  const auto millions = [](const std::string& name) {
    return static_cast<double>(model_facts(published(name)).parameters) / 1e6;
  };
  EXPECT_NEAR(millions("llamagen_b"), 110.9, 0.05);
  EXPECT_NEAR(millions("llamagen_l"), 342.9, 0.05);
  EXPECT_NEAR(millions("llamagen_xl"), 774.7, 0.05);
  EXPECT_NEAR(millions("llamagen_xl_t2i"), 777.7, 0.05);
  EXPECT_NEAR(millions("llamagen_xxl"), 1411, 0.5);
  EXPECT_NEAR(millions("llamagen_3b"), 3097, 0.5);
  EXPECT_EQ(describe(family(), published("llamagen_3b")).decoder.head_dim(), 100);
}

TEST(LlamaGenSizes, FeedForwardWidthsAreThePublishedOnes) {
  for (const auto& [name, expected] : {std::pair<const char*, int64_t>{"llamagen_b", 2048},
                                       {"llamagen_l", 2816},
                                       {"llamagen_xl", 3584},
                                       {"llamagen_xxl", 4096},
                                       {"llamagen_3b", 8704},
                                       {"llamagen_xxxl", 6912}}) {
    const auto size = std::ranges::find(family().sizes, name, &next_token::PublishedSize::name);
    ASSERT_NE(size, family().sizes.end()) << name;
    EXPECT_EQ(size->feed_forward_width, expected) << name;
  }
}

TEST(LlamaGenSizes, TakeThePublishedBytes) {
  struct Row {
    const char* name;
    double at_256, at_384, at_512;
  };
  for (const Row& row :
       {Row{"llamagen_b", 19.46, 43.06, 76.09}, Row{"llamagen_l", 51.90, 114.82, 202.90},
        Row{"llamagen_xl", 97.32, 215.29, 380.44}, Row{"llamagen_xxl", 155.71, 344.46, 608.70},
        Row{"llamagen_3b", 162.20, 358.81, 634.06},
        Row{"llamagen_xl_t2i", 138.61, 256.57, 421.72}}) {
    for (const auto& [side, expected] :
         {std::pair<int64_t, double>{16, row.at_256}, {24, row.at_384}, {32, row.at_512}}) {
      ConfigNode model = published(row.name);
      model.set_path("picture.grid", ConfigNode::list({side, side}));
      const ModelFacts facts = model_facts(model);
      EXPECT_NEAR(megabytes(facts, facts.published_slots), expected, 0.0051) << row.name << side;
      EXPECT_EQ(facts.image_width, 16 * side);
      const int64_t condition = std::string(row.name) == "llamagen_xl_t2i" ? 120 : 1;
      EXPECT_EQ(full_cache_tokens(facts.cache.steps), condition + side * side - 1);
    }
  }
}

TEST(LlamaGenSizes, BadOnesAreNamed) {
  const auto message = [](const char* key, ConfigNode value) -> std::string {
    ConfigNode model = published("llamagen_xl_t2i");
    model.set_path(key, std::move(value));
    try {
      model_facts(model);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message("transformer.size", "llamagen_xk"), HasSubstr("llamagen_xl"));
  EXPECT_THAT(message("transformer.conditioning", "texts"), HasSubstr("'text'"));
  EXPECT_THAT(message("transformer.text_channels", 1024), HasSubstr("1024"));
  EXPECT_THAT(message("transformer.heads", 640), HasSubstr("multiple of 4"));
  EXPECT_THAT(message("layers", 0), HasSubstr("1..36"));
}

next_token::ModelDescription tiny_model(next_token::ConditionKind kind) {
  next_token::ModelDescription model = family().defaults;
  model.decoder = {.layers = 1, .heads = 2, .width = 16, .feed_forward_width = 20};
  model.condition = {.kind = kind, .classes = 5, .text_tokens = 6, .text_channels = 7};
  model.vq.codebook_entries = 9;
  model.grid_height = model.grid_width = 2;
  return model;
}

TensorMap tiny_tensors(next_token::ConditionKind kind) {
  return random_transformer(family(), tiny_model(kind), at::kFloat,
                            at::detail::createCPUGenerator(1));
}

TEST(LlamaGenCondition, TheNullClassStandsBehindTheOthers) {
  const at::Tensor table = tiny_tensors(next_token::ConditionKind::kClass).at(kClassEmbedding);
  const std::vector<int64_t> classes = {3, 0};
  const next_token::Condition condition =
      next_token::class_condition(table, classes, next_token::condition_rows(2, true));
  ASSERT_EQ(condition.embeddings.sizes(), (std::vector<int64_t>{4, 1, 16}));
  for (const auto& [row, id] : {std::pair{0, 3}, {1, 0}, {2, 5}, {3, 5}}) {
    EXPECT_TRUE(at::equal(condition.embeddings[row][0], table[id]));
  }
  EXPECT_TRUE(condition.padding.empty());
}

TEST(LlamaGenCondition, CaptionsMoveToTheEndAndRowsShareTheirMask) {
  const TensorMap tensors = tiny_tensors(next_token::ConditionKind::kFeatures);
  const at::Tensor features = at::randn({2, 4, 7});
  const std::vector<next_token::ConditionRow> rows = next_token::condition_rows(2, true);
  const next_token::Condition condition = caption_condition(tensors, {features, {4, 1}}, rows);
  EXPECT_EQ(condition.padding, (std::vector<int64_t>{2, 5, 2, 5}));
  const auto project = [&](const at::Tensor& x) {
    const auto weight = [&](const char* name) {
      return tensors.at(std::string("cls_embedding.cap_proj.") + name).to(at::kDouble).t();
    };
    const at::Tensor a = at::matmul(x.to(at::kDouble), weight("fc1.weight"));
    const at::Tensor gelu =
        0.5 * a * (1 + at::tanh(std::sqrt(2 / M_PI) * (a + 0.044715 * a.pow(3))));
    return at::matmul(gelu, weight("fc2.weight"));
  };
  const auto expect_row = [&](int64_t row, int64_t at, const at::Tensor& feature) {
    EXPECT_LT((condition.embeddings[row][at] - project(feature)).abs().max().item<double>(), 1e-6);
  };
  for (int64_t i = 0; i < 4; ++i) expect_row(0, 2 + i, features[0][i]);
  expect_row(1, 5, features[1][0]);
  for (int64_t i = 0; i < 5; ++i) expect_row(1, i, at::zeros({7}));
  for (int64_t i = 0; i < 6; ++i) expect_row(3, i, tensors.at(kNoCaption)[i]);
  EXPECT_THROW(caption_condition(tensors, {features, {0, 1}}, rows), Error);
  EXPECT_THROW(caption_condition(tensors, {features, {5, 1}}, rows), Error);
}

TEST(LlamaGenModel, MakesImagesOfClassesAndCaptions) {
  for (const char* conditioning : {"class", "text"}) {
    const ConfigNode config = load_yaml_text(
        std::string("{name: tiny, family: llamagen, weights: random, precision: compact, "
                    "transformer: {depth: 2, width: 24, heads: 3, text_channels: 2048, "
                    "text_max_tokens: 20, classes: 10, conditioning: ") +
            conditioning +
            "}, picture: {grid: [3, 2]}, vq: {base_channels: 32, channel_multipliers: [1, 1], "
            "encoder_blocks: 1, latent_channels: 32, codebook_entries: 40, code_width: 4}}",
        "test");
    const auto model = open_model(config, "", at::kCPU);
    SamplingOptions options;
    options.cfg = {4};
    const auto make = [&](const std::vector<std::string>& prompts, std::vector<uint64_t> seeds) {
      const auto images = static_cast<int64_t>(prompts.size());
      KvCache cache(full_plan(model->geometry()), model->rows(images, options), at::kCPU);
      AttentionContext context{.cache = cache};
      std::vector<at::Generator> generators;
      for (const uint64_t seed : seeds) {
        generators.push_back(image_generator(seed, 0, 0));
      }
      return model->generate(prompts, options, generators, context);
    };
    const GeneratedBatch batch = make({"7", "3"}, {1, 2});
    const GeneratedBatch alone = make({"3"}, {2});
    EXPECT_EQ(batch.images[1].height, 6);
    EXPECT_EQ(batch.images[1].width, 4);
    EXPECT_EQ(batch.tokens[1], alone.tokens[0]);
    EXPECT_EQ(batch.images[1], alone.images[0]);
    EXPECT_EQ(model->rows(3, options), 6);
  }
}

// One file with both parts, or one file each with bare names: the same images.
TEST(LlamaGenModel, LoadsPartsFromOneFileOrTwo) {
  const fs::path folder = fs::path(testing::TempDir());
  const auto config = [&](const std::string& files) {
    return load_yaml_text(
        "{name: tiny, family: llamagen, precision: fp32, " + files +
            ", transformer: {depth: 1, width: 16, heads: 2, feed_forward_width: 20, classes: 5}, "
            "picture: {grid: [2, 2]}, vq: {base_channels: 32, channel_multipliers: [1, 1], "
            "encoder_blocks: 1, latent_channels: 32, codebook_entries: 9, code_width: 4}}",
        "test");
  };
  const next_token::ModelDescription d = describe(family(), config("weights: random"));
  at::Generator generator = at::detail::createCPUGenerator(3);
  const TensorMap model = random_transformer(family(), d, at::kFloat, generator);
  const TensorMap image = random_vq(vq_decoder_tensors(d.vq), generator);
  std::vector<TensorMap::Entry> both;
  for (const auto& [name, tensor] : model) both.emplace_back("model." + name, tensor);
  for (const auto& [name, tensor] : image) both.emplace_back("vq." + name, tensor);
  write_safetensors(folder / "llamagen_both.safetensors", both);
  write_safetensors(folder / "llamagen_alone.safetensors", model.entries());
  write_safetensors(folder / "llamagen_vq.safetensors", image.entries());

  const auto make = [&](const std::string& files) {
    const auto opened = open_model(config(files), folder.string(), at::kCPU);
    SamplingOptions options;
    options.cfg = {4};
    KvCache cache(full_plan(opened->geometry()), 2, at::kCPU);
    AttentionContext context{.cache = cache};
    std::vector<at::Generator> generators = {image_generator(1, 0, 0)};
    const std::vector<std::string> prompts = {"2"};
    return opened->generate(prompts, options, generators, context);
  };
  const GeneratedBatch one = make("weights: llamagen_both.safetensors");
  const GeneratedBatch two =
      make("weights: llamagen_alone.safetensors, vae_weights: llamagen_vq.safetensors");
  EXPECT_EQ(one.tokens, two.tokens);
  EXPECT_EQ(one.images, two.images);
  EXPECT_THROW(make("weights: llamagen_alone.safetensors"), Error) << "no image decoder";
}

}  // namespace
}  // namespace kvscope::llamagen
