#include "core/models/var/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "core/base/error.h"
#include "core/models/var/vqvae.h"
#include "core/models/var/weights.h"

namespace kvscope::var {
namespace {

using testing::HasSubstr;

int64_t tokens(const ScaleSchedule& schedule) {
  int64_t sum = 0;
  for (const auto& [height, width] : schedule) sum += height * width;
  return sum;
}

TEST(VarPublished, SizesHaveTheirParametersAndTokens) {
  struct Row {
    const char* name;
    int64_t parameters, tokens;
  };
  for (const Row& row : {Row{"var_d16", 310'283'520, 680}, Row{"var_d20", 600'917'136, 680},
                         Row{"var_d24", 1'033'399'360, 680}, Row{"var_d30", 2'010'020'356, 680},
                         Row{"var_d36", 2'353'893'904, 2240}}) {
    const PublishedModel model = published_model(row.name);
    EXPECT_EQ(parameter_count(transformer_tensors(model.transformer, model.schedule)),
              row.parameters)
        << row.name;
    EXPECT_EQ(tokens(model.schedule), row.tokens) << row.name;
    EXPECT_EQ(model.transformer.head_dim(), 64);
    EXPECT_EQ(model.schedule.size(), 10u);
  }
}

TEST(VarPublished, NamesAreThoseOfTheStateDict) {
  const auto names = [](const char* model) {
    const PublishedModel published = published_model(model);
    std::set<std::string> result;
    for (const WeightSpec& spec : transformer_tensors(published.transformer, published.schedule)) {
      EXPECT_TRUE(result.insert(spec.name).second) << spec.name;
    }
    return result;
  };
  const std::set<std::string> own = names("var_d30");
  EXPECT_EQ(own.size(), 8u + 4 + 30 * 13);
  EXPECT_TRUE(own.contains("blocks.29.ada_lin.1.bias"));
  EXPECT_FALSE(own.contains("shared_ada_lin.1.weight"));
  const std::set<std::string> shared = names("var_d36");
  EXPECT_TRUE(shared.contains("blocks.35.ada_gss"));
  EXPECT_TRUE(shared.contains("shared_ada_lin.1.weight"));
  EXPECT_FALSE(shared.contains("blocks.0.ada_lin.1.weight"));
}

TEST(VarPublished, AnotherNameIsAnErrorWithTheNearest) {
  try {
    published_model("var_d32");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), HasSubstr("var_d3"));
  }
}

TEST(VarPublished, TheImageDecoderHasThePublishedShape) {
  const VqvaeConfig config;
  EXPECT_EQ(config.stride(), 16);
  const std::vector<WeightSpec> specs = decoder_tensors(config);
  const auto shape = [&](const std::string& name) {
    for (const WeightSpec& spec : specs) {
      if (spec.name == name) return spec.shape;
    }
    return std::vector<int64_t>{};
  };
  using Shape = std::vector<int64_t>;
  EXPECT_EQ(shape("decoder.conv_in.weight"), (Shape{640, 32, 3, 3}));
  EXPECT_EQ(shape("decoder.up.4.attn.2.qkv.weight"), (Shape{1920, 640, 1, 1}));
  EXPECT_EQ(shape("decoder.up.3.block.0.nin_shortcut.weight"), (Shape{320, 640, 1, 1}));
  EXPECT_EQ(shape("decoder.up.2.block.0.nin_shortcut.weight"), Shape{});
  EXPECT_EQ(shape("decoder.up.1.block.0.nin_shortcut.weight"), (Shape{160, 320, 1, 1}));
  EXPECT_EQ(shape("decoder.up.1.upsample.conv.weight"), (Shape{160, 160, 3, 3}));
  EXPECT_EQ(shape("decoder.up.0.upsample.conv.weight"), Shape{});
  EXPECT_EQ(shape("decoder.conv_out.weight"), (Shape{3, 160, 3, 3}));
  EXPECT_EQ(shape("post_quant_conv.weight"), (Shape{32, 32, 3, 3}));
}

TEST(PhiOfScale, IsThePublishedTableForTenScales) {
  const std::vector<int64_t> expected = {0, 0, 1, 1, 1, 2, 2, 3, 3, 3};
  for (int64_t si = 0; si < 10; ++si) {
    EXPECT_EQ(phi_of_scale(si, 10, 4), expected[static_cast<size_t>(si)]) << "scale " << si;
  }
}

TEST(PhiOfScale, RisesFromTheFirstToTheLast) {
  for (const int64_t phis : {1, 2, 3, 4, 7}) {
    for (const int64_t scales : {1, 2, 5, 14}) {
      int64_t previous = 0;
      for (int64_t si = 0; si < scales; ++si) {
        const int64_t phi = phi_of_scale(si, scales, phis);
        EXPECT_GE(phi, previous);
        EXPECT_LT(phi, phis);
        previous = phi;
      }
      EXPECT_EQ(phi_of_scale(0, scales, phis), 0);
      EXPECT_EQ(previous, scales > 1 ? phis - 1 : 0);
    }
  }
}

TEST(VarConfig, SizesThatDoNotFitAreNamed) {
  const auto message = [](const auto& config) -> std::string {
    try {
      config.check();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      return error.what();
    }
    return "no error";
  };
  TransformerConfig transformer{.depth = 2, .width = 30, .heads = 4};
  EXPECT_THAT(message(transformer), HasSubstr("width 30"));
  transformer = {.depth = 2, .width = 32, .heads = 4, .codes = 70'000};
  EXPECT_THAT(message(transformer), HasSubstr("codes 70000"));
  VqvaeConfig vae;
  vae.base_channels = 48;
  EXPECT_THAT(message(vae), HasSubstr("norm_groups 32"));
  vae = {};
  vae.channel_multipliers = {};
  EXPECT_THAT(message(vae), HasSubstr("levels"));
  vae = {};
  vae.phis = 0;
  EXPECT_THAT(message(vae), HasSubstr("phis"));
}

}  // namespace
}  // namespace kvscope::var
