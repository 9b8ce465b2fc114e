// Janus-Pro: published sizes, prompts, and every container of the same weights.
#include "core/models/janus/janus.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/safetensors.h"
#include "core/config/yaml.h"
#include "core/engine/kv_cache.h"
#include "core/models/image_model.h"
#include "core/models/janus/prompt.h"
#include "core/models/next_token/family_tensors.h"
#include "core/models/shared/guidance.h"
#include "test_paths.h"

namespace kvscope::janus {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kGolden = fs::path(kSourceDir) / "tests/golden";

ConfigNode published(const std::string& name) {
  ConfigNode model = load_yaml_file(fs::path(kSourceDir) / "configs/model" / (name + ".yaml"));
  model.erase("defaults");
  return model;
}

// Decimal megabytes of a guided image, to two places as the tables have them.
double cache_megabytes(const ModelFacts& facts) {
  const int64_t bytes =
      2 * full_plan(facts.cache).live_bytes(static_cast<int64_t>(facts.cache.steps.size()) - 1, 1);
  return std::round(static_cast<double>(bytes) / 1e4) / 1e2;
}

TEST(JanusSizes, TakeThePublishedBytes) {
  const std::vector<std::pair<int64_t, std::pair<double, double>>> table = {
      {16, {232.39, 580.98}},
      {32, {238.68, 596.71}},
      {64, {251.27, 628.16}},
      {128, {276.43, 691.08}}};
  for (const auto& [prompt, megabytes] : table) {
    for (const auto& [name, expected] : {std::pair{"janus_pro_1b", megabytes.first},
                                         std::pair{"janus_pro_7b", megabytes.second}}) {
      ConfigNode model = published(name);
      model.set_path("transformer.text_max_tokens", prompt);
      const ModelFacts facts = model_facts(model);
      EXPECT_NEAR(cache_megabytes(facts), expected, 0.011) << name << " " << prompt;
      EXPECT_EQ(facts.image_height, 384);
      EXPECT_EQ(full_cache_tokens(facts.cache.steps), prompt + 575);
    }
  }
}

TEST(JanusSizes, ParametersAreThoseOfTheTable) {
  // embedding + layers (4 D^2 + 3 D F + 2 D) + norm + codes + aligner + head, by hand.
  EXPECT_EQ(model_facts(published("janus_pro_1b")).parameters,
            102400LL * 2048 + 24LL * (4LL * 2048 * 2048 + 3LL * 2048 * 5632 + 2 * 2048) + 2048 +
                16384LL * 8 + (8LL * 2048 + 2048) + (2048LL * 2048 + 2048) +
                (2048LL * 2048 + 2048) + (16384LL * 2048 + 16384));
  EXPECT_EQ(describe(family(), published("janus_pro_7b")).decoder.layers, 30);
}

TEST(JanusSizes, BadOnesAreNamed) {
  const auto message = [](const char* key, ConfigNode value) -> std::string {
    ConfigNode model = published("janus_pro_1b");
    model.set_path(key, std::move(value));
    try {
      model_facts(model);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message("transformer.size", "janus_pro_1"), HasSubstr("janus_pro_1b"));
  EXPECT_THAT(message("layers", 25), HasSubstr("1..24"));
  EXPECT_THAT(message("transformer.heads", 15), HasSubstr("2048"));
  EXPECT_THAT(message("transformer.text_max_tokens", 1), HasSubstr("text_max_tokens"));
  EXPECT_THAT(message("picture.grid", ConfigNode::list({24})), HasSubstr("picture.grid"));
  EXPECT_THAT(message("picture.grid", ConfigNode::list({1 << 30, 1 << 30})),
              HasSubstr("picture.grid"));
  EXPECT_THAT(message("precision", "bf16"), HasSubstr("compact"));
  EXPECT_THAT(message("vq.codebook_entries", 70000), HasSubstr("codebook"));
}

TEST(JanusPrompt, ChatTextStripsAsPythonDoes) {
  EXPECT_EQ(chat_text(" \n\u3000a red  cat\t\u00a0 "),
            "<|User|>: a red  cat\n\n<|Assistant|>:<begin_of_image>");
  EXPECT_EQ(chat_text(""), "<|User|>: \n\n<|Assistant|>:<begin_of_image>");
}

TEST(JanusPrompt, GoesThroughThePublishedKindOfTokenizer) {
  const BytePairTokenizer tokenizer = BytePairTokenizer::from_file(kGolden / "bpe_tiny");
  const std::vector<std::string> prompts = {"a cat", "two dogs on a mat"};
  const PromptIds ids = tokenized(tokenizer, prompts);
  EXPECT_EQ(ids.pad_id, 1515);
  for (const std::vector<int64_t>& row : ids.ids) {
    EXPECT_EQ(row.front(), 1500);
    EXPECT_EQ(row[1], 1519) << "<|User|>";
    EXPECT_EQ(row.back(), 1516) << "begin of image";
  }
  EXPECT_LT(ids.ids[0].size(), ids.ids[1].size());
}

struct TinyJanus {
  next_token::ModelDescription model;
  TensorMap tensors;
};

TinyJanus tiny(const TensorMap& checkpoint) {
  TinyJanus janus{.model = family().defaults, .tensors = {}};
  janus.model.decoder = {.layers = 3, .heads = 4, .width = 64, .feed_forward_width = 112};
  janus.model.condition.text_vocabulary = 160;
  janus.model.condition.text_tokens = 11;
  janus.model.vq.codebook_entries = 200;
  janus.model.grid_height = janus.model.grid_width = 6;
  TensorMap wide;
  for (const auto& [name, tensor] : published_names(family(), janus.model, checkpoint)) {
    wide.set(name, tensor.to(at::kFloat));
  }
  janus.tensors = resolve(family(), janus.model, wide);
  return janus;
}

TEST(JanusPrompt, UnconditionalRowsKeepBothEndsAndPadsAreAttended) {
  const TinyJanus janus = tiny(read_checkpoint(kGolden / "janus_tiny_hf_names.safetensors"));
  const PromptIds prompts{.ids = {{5, 6, 7, 8}, {9, 10, 11, 12, 13, 14, 15}}, .pad_id = 153};
  const next_token::Condition condition = prompt_condition(
      janus.model.condition, janus.tensors, prompts, next_token::condition_rows(2, true));
  EXPECT_EQ(condition.padding, (std::vector<int64_t>{7, 4, 7, 4}));
  const auto id = [&](int64_t row, int64_t at) {
    const at::Tensor same =
        (janus.tensors.at(kTextEmbedding) == condition.embeddings[row][at]).all(1).nonzero();
    return same[0][0].item<int64_t>();
  };
  const auto row_ids = [&](int64_t row, int64_t from) {
    std::vector<int64_t> ids;
    for (int64_t at = from; at < 11; ++at) ids.push_back(id(row, at));
    return ids;
  };
  EXPECT_EQ(row_ids(0, 7), (std::vector<int64_t>{5, 6, 7, 8}));
  EXPECT_EQ(row_ids(2, 7), (std::vector<int64_t>{5, 153, 153, 8}));
  EXPECT_EQ(row_ids(3, 4), (std::vector<int64_t>{9, 153, 153, 153, 153, 153, 15}));
}

TEST(JanusPrompt, TooLongAndForeignIdsAreNamed) {
  const TinyJanus janus = tiny(read_checkpoint(kGolden / "janus_tiny_hf_names.safetensors"));
  const auto message = [&](std::vector<int64_t> ids) -> std::string {
    try {
      prompt_condition(janus.model.condition, janus.tensors, {.ids = {std::move(ids)}, .pad_id = 1},
                       next_token::condition_rows(1, true));
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message(std::vector<int64_t>(12, 3)), HasSubstr("text_max_tokens=12"));
  EXPECT_THAT(message({3, 160}), HasSubstr("id 160"));
  EXPECT_THAT(message({-1, 3}), HasSubstr("id -1"));
}

// Greedy tokens of the recorded prompt.
at::Tensor greedy(const TinyJanus& janus, const at::Tensor& prompt_ids) {
  const CacheGeometry geometry{
      .layers = 3, .heads = 4, .head_dim = 16, .steps = next_token_steps(11, 36)};
  KvCache cache(full_plan(geometry), 4, at::kCPU);
  AttentionContext context{.cache = cache};
  next_token::GenerateOptions options;
  options.cfg = {5};
  options.greedy = true;
  std::vector<at::Generator> unused;
  const next_token::Condition condition{
      .embeddings = prompt_embeddings(janus.tensors, halves_of_interleaved(prompt_ids)),
      .padding = {}};
  return next_token::generate(make_model(family(), janus.model, janus.tensors), condition, options,
                              unused, context)
      .tokens;
}

class JanusContainer : public testing::TestWithParam<const char*> {};

TEST_P(JanusContainer, HoldsTheSameModelAndMakesTheSameTokens) {
  const SafetensorsReader recorded(kGolden / "janus_tiny.safetensors");
  const TinyJanus reference = tiny(recorded.tensors().below("model."));
  const TinyJanus loaded = tiny(read_checkpoint(kGolden / GetParam()));
  ASSERT_EQ(loaded.tensors.names(), reference.tensors.names());
  for (const auto& [name, tensor] : loaded.tensors) {
    EXPECT_TRUE(at::equal(tensor, reference.tensors.at(name))) << name;
  }
  EXPECT_TRUE(at::equal(greedy(loaded, recorded.tensor("prompt_ids")),
                        recorded.tensor("tokens").to(at::kLong)));
}

INSTANTIATE_TEST_SUITE_P(Golden,
                         JanusContainer,
                         testing::Values("janus_tiny_hf_names.safetensors",
                                         "janus_tiny_pytorch_model.bin",
                                         "janus_tiny_sharded"),
                         [](const auto& shape) {
                           const std::string name = shape.param;
                           return name.substr(0, name.find('.'));
                         });

TEST(JanusNames, MissingTensorsAreListed) {
  TensorMap tensors = read_checkpoint(kGolden / "janus_tiny_hf_names.safetensors");
  TensorMap fewer;
  for (const auto& [name, tensor] : tensors) {
    if (!name.ends_with("layers.1.mlp.up_proj.weight")) {
      fewer.set(name.ends_with("vision_head.bias") ? name + "s" : name, tensor);
    }
  }
  try {
    tiny(fewer);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr("language_model.model.layers.1.mlp.up_proj.weight"));
    EXPECT_THAT(error.what(), HasSubstr("gen_head.vision_head.bias"));
  }
}

ConfigNode tiny_config(const std::string& more) {
  return load_yaml_text(
      "{name: tiny, family: janus, weights: random, precision: fp32, "
      "transformer: {depth: 2, width: 24, heads: 3, feed_forward_width: 40, text_vocabulary: 60, "
      "text_max_tokens: 19}, picture: {grid: [2, 3]}, "
      "vq: {base_channels: 32, channel_multipliers: [1, 1], encoder_blocks: 1, latent_channels: "
      "32, codebook_entries: 40, code_width: 4}" +
          more + "}",
      "test");
}

TEST(JanusModel, MakesImagesFromPromptsWhateverTheBatch) {
  for (const char* precision :
       {"", ", precision: compact", ", precision: compact_weights", ", precision: reference"}) {
    ConfigNode config = tiny_config("");
    if (*precision != '\0') config.set("precision", std::string(precision).substr(13));
    const auto model = open_model(config, "", at::kCPU);
    SamplingOptions options;
    options.cfg = {5};
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
    const GeneratedBatch batch = make({"a cat", "two dogs"}, {1, 2});
    const GeneratedBatch alone = make({"two dogs"}, {2});
    ASSERT_EQ(batch.images.size(), 2);
    EXPECT_EQ(batch.images[1].height, 4);
    EXPECT_EQ(batch.images[1].width, 6);
    EXPECT_EQ(batch.tokens[1], alone.tokens[0]);
    EXPECT_EQ(batch.tokens[1].size(), 12) << "two bytes per token";
    EXPECT_EQ(batch.images[1], alone.images[0]);
    EXPECT_EQ(batch.times.step_ms.size(), model->geometry().steps.size());
  }
}

}  // namespace
}  // namespace kvscope::janus
