// Cached generation against the uncached forward over the whole sequence, a batch of mixed prompts
// against each alone, and the gradients that training needs.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/models/shared/guidance.h"
#include "tiny_models.h"

namespace kvscope::next_token {
namespace {

struct Case {
  const char* name;
  TinyModel (*make)(const TinyShape& shape);
  TinyShape shape;
  std::vector<int64_t> images;
  double cfg;
};

// One row of weights for all query heads, one for each key head.
constexpr QueryKeyNorm kNorm{.query_rows = 1, .key_rows = 2};

TinyModel janus_of(const TinyShape& shape) {
  return tiny_janus(shape);
}
TinyModel classes_of(const TinyShape& shape) {
  return tiny_llamagen(shape, ConditionKind::kClass);
}
TinyModel captions_of(const TinyShape& shape) {
  return tiny_llamagen(shape, ConditionKind::kFeatures);
}

class NextTokenForward : public testing::TestWithParam<Case> {};

TEST_P(NextTokenForward, CachedEqualsUncached) {
  const Case& c = GetParam();
  const TinyModel tiny = c.make(c.shape);
  GenerateOptions options;
  options.cfg = {c.cfg};
  options.tau = {0.9};
  options.top_k = 17;
  const bool guided_rows = guided(options.cfg);
  const TinyRun run = run_tiny(tiny, c.images, options, guided_rows);
  ASSERT_EQ(static_cast<int64_t>(run.logits.size()), tiny.image_tokens);

  const auto images = static_cast<int64_t>(c.images.size());
  const at::Tensor rows = run.generation.tokens.repeat({guided_rows ? 2 : 1, 1});
  const at::NoGradGuard no_grad;
  const at::Tensor whole = teacher_forcing(tiny.model, tiny.condition(c.images, guided_rows),
                                           rows.narrow(1, 0, tiny.image_tokens - 1));
  ASSERT_EQ(whole.size(1), tiny.image_tokens);
  for (int64_t token = 0; token < tiny.image_tokens; ++token) {
    const at::Tensor expected = whole.select(1, token).to(at::kDouble);
    const at::Tensor& made = run.row_logits[static_cast<size_t>(token)];
    EXPECT_LE((made - expected).abs().max().item<double>(), 1e-4) << "token " << token;
    at::Tensor mixed = expected.narrow(0, 0, images);
    if (guided_rows) {
      const at::Tensor u = expected.narrow(0, images, images);
      mixed = u + c.cfg * (mixed - u);
    }
    EXPECT_LE((run.logits[static_cast<size_t>(token)] - mixed).abs().max().item<double>(), 5e-4)
        << "token " << token;
  }
}

TEST_P(NextTokenForward, AnImageDoesNotDependOnItsBatch) {
  const Case& c = GetParam();
  const TinyModel tiny = c.make(c.shape);
  GenerateOptions options;
  options.cfg = {c.cfg};
  options.top_p = 0.9;
  const bool guided_rows = guided(options.cfg);
  const TinyRun batch = run_tiny(tiny, c.images, options, guided_rows);
  for (size_t i = 0; i < c.images.size(); ++i) {
    const TinyRun alone = run_tiny(tiny, {c.images[i]}, options, guided_rows);
    EXPECT_TRUE(
        at::equal(alone.generation.tokens[0], batch.generation.tokens[static_cast<int64_t>(i)]))
        << "image " << i;
  }
}

TEST_P(NextTokenForward, GradientsReachEveryWeightThatIsRead) {
  const Case& c = GetParam();
  TinyModel tiny = c.make(c.shape);
  std::vector<at::Tensor> leaves;
  for (LayerWeights& w : tiny.model.weights.layers) {
    for (at::Tensor* weight :
         {&w.attention_norm, &w.query, &w.key, &w.value, &w.output, &w.feed_forward_norm, &w.gate,
          &w.up, &w.down, &w.query_norm, &w.query_norm_bias, &w.key_norm, &w.key_norm_bias}) {
      if (!weight->defined()) continue;
      *weight = weight->clone().requires_grad_();
      leaves.push_back(*weight);
    }
  }
  tiny.model.weights.norm = tiny.model.weights.norm.clone().requires_grad_();
  leaves.push_back(tiny.model.weights.norm);
  const auto images = static_cast<int64_t>(c.images.size());
  const at::Tensor tokens =
      at::arange(images * (tiny.image_tokens - 1)).remainder(31).view({images, -1});
  const at::Tensor logits = teacher_forcing(tiny.model, tiny.condition(c.images, false), tokens);
  at::log_softmax(logits, -1).select(-1, 3).sum().backward();
  for (const at::Tensor& leaf : leaves) {
    ASSERT_TRUE(leaf.grad().defined());
    EXPECT_TRUE(at::isfinite(leaf.grad()).all().item<bool>());
    EXPECT_GT(leaf.grad().abs().max().item<double>(), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes,
    NextTokenForward,
    testing::Values(Case{"Janus", janus_of, {4, 16, 3, 3}, {0, 1, 2}, 5},
                    Case{"JanusUnguided", janus_of, {3, 10, 2, 5}, {1, 2}, 1},
                    Case{"JanusOneImage", janus_of, {5, 6, 1, 7}, {0}, 2.5},
                    Case{"JanusOneShortPrompt", janus_of, {2, 22, 3, 2}, {1}, 5},
                    Case{"JanusPairs", janus_of, {4, 16, 3, 3, 2}, {0, 1, 2}, 5},
                    Case{"JanusOneKeyHead", janus_of, {4, 8, 2, 3, 1}, {1, 2}, 1},
                    Case{"JanusNorm", janus_of, {4, 8, 2, 3, 2, kNorm}, {1, 2}, 3},
                    Case{"ClassesPairs", classes_of, {6, 12, 3, 2, 3}, {2, 0}, 4},
                    Case{"Classes", classes_of, {4, 16, 3, 3}, {0, 1, 2}, 4},
                    Case{"ClassesUnguided", classes_of, {3, 20, 5, 2}, {2, 0}, 1},
                    Case{"ClassesHeadDim100", classes_of, {2, 100, 2, 3}, {1}, 1.5},
                    Case{"ClassesHeadDim4", classes_of, {7, 4, 4, 3}, {1, 0}, 3},
                    Case{"Captions", captions_of, {4, 12, 3, 3}, {0, 1, 2}, 7.5},
                    Case{"CaptionsUnguided", captions_of, {3, 28, 2, 4}, {2, 1}, 1},
                    Case{"CaptionsOne", captions_of, {1, 8, 5, 1}, {0}, 4}),
    [](const auto& shape) { return std::string(shape.param.name); });

// The same prompt behind more padding gives the same image: Janus counts positions without it.
TEST(NextTokenForward, JanusDoesNotSeeHowFarItIsPadded) {
  const TinyShape shape{4, 16, 3, 3};
  GenerateOptions options;
  options.cfg = {5};
  const TinyModel tight = tiny_janus(shape, 9);
  const TinyModel loose = tiny_janus(shape, 21);
  const TinyRun a = run_tiny(tight, {0, 2}, options, true);
  const TinyRun b = run_tiny(loose, {0, 2}, options, true);
  EXPECT_TRUE(at::equal(a.generation.tokens, b.generation.tokens));
  for (size_t i = 0; i < a.row_logits.size(); ++i) {
    EXPECT_LE((a.row_logits[i] - b.row_logits[i]).abs().max().item<double>(), 1e-5);
  }
}

TEST(NextTokenForward, TheLastTokenIsSampledAndNeverFed) {
  const TinyModel tiny = tiny_llamagen({4, 8, 2, 3}, ConditionKind::kClass);
  GenerateOptions options;
  const TinyRun run = run_tiny(tiny, {0}, options, false);
  EXPECT_EQ(run.generation.tokens.size(1), 6);
  EXPECT_EQ(run.generation.times.step_ms.size(), 7);
  EXPECT_EQ(run.generation.times.step_ms.back(), 0);
}

TEST(NextTokenForward, GuidanceStopsBehindTheInterval) {
  const TinyModel tiny = tiny_llamagen({4, 8, 2, 3}, ConditionKind::kFeatures);
  GenerateOptions options;
  options.cfg = {4};
  options.cfg_interval = 1;  // loop index 0 is the second token
  const TinyRun run = run_tiny(tiny, {0, 1}, options, true);
  for (int64_t token = 0; token < 6; ++token) {
    const at::Tensor& rows = run.row_logits[static_cast<size_t>(token)];
    const at::Tensor c = rows.narrow(0, 0, 2);
    const at::Tensor u = rows.narrow(0, 2, 2);
    const at::Tensor expected = token <= 2 ? u + 4 * (c - u) : c;
    EXPECT_LE((run.logits[static_cast<size_t>(token)] - expected).abs().max().item<double>(), 1e-5)
        << "token " << token;
  }
}

TEST(NextTokenForward, NotANumberNamesTheToken) {
  TinyModel tiny = tiny_llamagen({4, 8, 2, 3}, ConditionKind::kClass);
  const auto head = tiny.model.head;
  int calls = 0;
  tiny.model.head = [&](const at::Tensor& hidden) {
    return ++calls == 3 ? head(hidden) / 0.0 * 0.0 : head(hidden);
  };
  try {
    run_tiny(tiny, {0}, {}, false);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNumerics);
    EXPECT_NE(std::string(error.what()).find("image token 2"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace kvscope::next_token
