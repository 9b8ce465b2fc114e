// Which tokens anchors, recent lines and coarsest scales are.
#include <gtest/gtest.h>

#include "policies/component.h"
#include "tests/policies/policy_run.h"

namespace kvscope {

MakeComponent<Protect> make_protect_anchors, make_protect_recent_lines,
    make_protect_coarsest_scales;

namespace {

/// Positions that the part protects when everything is held after `step`.
std::vector<int64_t> marked(MakeComponent<Protect>* make,
                            const std::string& text,
                            const CacheGeometry& geometry,
                            std::size_t step_index) {
  const ConfigNode node = yaml(text);
  Options options = component_options("policy.protect", node);
  const auto part = make(options);
  options.finish();
  const StepInfo& step = geometry.steps[step_index];
  std::vector<TokenOrigin> history;
  for (std::size_t earlier = 0; earlier < step_index; ++earlier) {
    for (int64_t token = 0; token < geometry.steps[earlier].queries(); ++token) {
      history.push_back(
          {.step = static_cast<int32_t>(earlier), .token = static_cast<int32_t>(token)});
    }
  }
  const TokenView view{.geometry = geometry, .step = step, .history = history, .window = {}};
  std::vector<uint8_t> is_protected(static_cast<std::size_t>(view.available()), 0);
  part->mark(view, is_protected);
  std::vector<int64_t> positions;
  for (std::size_t token = 0; token < is_protected.size(); ++token) {
    if (is_protected[token] != 0) positions.push_back(static_cast<int64_t>(token));
  }
  EXPECT_GE(part->max_tokens(geometry, step, 0), std::ssize(positions));
  EXPECT_EQ(part->max_tokens(geometry, step, 0), std::ssize(positions)) << "a tight bound";
  return positions;
}

using Positions = std::vector<int64_t>;

CacheGeometry tokens() {
  return {
      .layers = 1, .heads = 1, .head_dim = 1, .steps = next_token_steps(3, 20), .line_tokens = 4};
}

CacheGeometry scales() {
  return {.layers = 1,
          .heads = 1,
          .head_dim = 1,
          .steps = next_scale_steps({{1, 1}, {2, 2}, {3, 2}, {4, 4}})};
}

TEST(Anchors, AreTheFirstTokensOfTheImage) {
  const char* text = "{name: anchors, anchor_tokens: 2}";
  EXPECT_EQ(marked(make_protect_anchors, text, tokens(), 0), Positions{});
  EXPECT_EQ(marked(make_protect_anchors, text, tokens(), 1), Positions{3});
  EXPECT_EQ(marked(make_protect_anchors, text, tokens(), 9), (Positions{3, 4}));
  EXPECT_EQ(marked(make_protect_anchors, text, scales(), 2), (Positions{0, 1}));
}

TEST(RecentLines, AreTheLineBeingDrawnAndThoseAboveIt) {
  const char* text = "{name: recent_lines, lines: 2}";
  EXPECT_EQ(marked(make_protect_recent_lines, text, tokens(), 0), Positions{});
  EXPECT_EQ(marked(make_protect_recent_lines, text, tokens(), 2), (Positions{3, 4}));
  // Image tokens 0 .. 8 are stored: two full lines and one token of the third.
  EXPECT_EQ(marked(make_protect_recent_lines, text, tokens(), 9), (Positions{7, 8, 9, 10, 11}));
  EXPECT_EQ(marked(make_protect_recent_lines, text, tokens(), 8),
            (Positions{3, 4, 5, 6, 7, 8, 9, 10}));
}

TEST(RecentLines, OfAScaleAreItsLastLines) {
  EXPECT_EQ(marked(make_protect_recent_lines, "{name: recent_lines, lines: 2}", scales(), 2),
            (Positions{7, 8, 9, 10}));
  EXPECT_EQ(marked(make_protect_recent_lines, "{name: recent_lines, lines: 9}", scales(), 1),
            (Positions{1, 2, 3, 4}));
}

TEST(CoarsestScales, AreTheFirstScalesOrTheText) {
  const char* text = "{name: coarsest_scales, scales: 2}";
  EXPECT_EQ(marked(make_protect_coarsest_scales, text, scales(), 0), (Positions{0}));
  EXPECT_EQ(marked(make_protect_coarsest_scales, text, scales(), 2), (Positions{0, 1, 2, 3, 4}));
  EXPECT_EQ(marked(make_protect_coarsest_scales, text, tokens(), 5), (Positions{0, 1, 2}));
}

}  // namespace
}  // namespace kvscope
