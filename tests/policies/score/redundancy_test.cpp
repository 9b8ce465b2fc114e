// R-KV's score against plain double loops, and the rules of its code that its paper does not have.
#include <array>

#include "policies/signals/observation_window.h"
#include "policies/signals/redundancy_scores.h"
#include "remembered_queries.h"

namespace kvscope {

MakeComponent<Score> make_score_redundancy;

namespace {

/// S of keys [tokens][channels], as published: cosines, diagonal 0, one similar entry a row 0.
std::vector<double> repetition(const at::Tensor& keys,
                               double threshold,
                               const std::string& retain,
                               double ratio) {
  const auto tokens = static_cast<std::size_t>(keys.size(0));
  const at::Tensor wide = keys.to(at::kDouble);
  std::vector<double> column(tokens, 0.0);
  for (std::size_t i = 0; i < tokens; ++i) {
    const at::Tensor a = wide[static_cast<int64_t>(i)];
    std::vector<double> row;
    std::vector<std::size_t> similar;
    for (std::size_t j = 0; j < tokens; ++j) {
      const at::Tensor b = wide[static_cast<int64_t>(j)];
      const double cosine = (a * b).sum().item<double>() /
                            ((a.norm().item<double>() + 1e-8) * (b.norm().item<double>() + 1e-8));
      row.push_back(i == j ? 0 : cosine);
      similar.push_back(row.back() > threshold ? j : 0);
    }
    std::ranges::sort(similar);
    const auto rank = static_cast<std::size_t>(static_cast<double>(tokens) * ratio);
    const std::size_t left_out = retain == "last"    ? similar.back()
                                 : retain == "first" ? similar.front()
                                                     : similar[std::max<std::size_t>(rank, 1) - 1];
    row[left_out] = 0;
    for (std::size_t j = 0; j < tokens; ++j) column[j] += row[j] / static_cast<double>(tokens);
  }
  double total = 0;
  for (double& value : column) total += value = std::exp(value);
  for (double& value : column) value /= total;
  return column;
}

at::Tensor clustered_keys(int64_t tokens) {
  auto generator = at::detail::createCPUGenerator(3);
  const at::Tensor centres = at::randn({3, 6}, generator);
  const at::Tensor noise = at::randn({tokens, 6}, generator);
  return centres.index_select(0, at::arange(tokens).remainder(3)) + 0.4 * noise;
}

TEST(KeyRepetition, EqualsItsDefinitionInEveryForm) {
  for (const int64_t tokens : {1, 2, 37, 270}) {  // 270: more rows than are held at once
    const at::Tensor keys = clustered_keys(tokens);
    for (const auto& [word, retain] : {std::pair{"last", RetainSimilar::kLast},
                                       {"first", RetainSimilar::kFirst},
                                       {"first_percent", RetainSimilar::kFirstPercent}}) {
      const SimilarityRule rule{.threshold = 0.5, .retain = retain, .retain_ratio = 0.9};
      const at::Tensor found = key_repetition(keys, rule);
      const std::vector<double> expected = repetition(keys, 0.5, word, 0.9);
      for (int64_t token = 0; token < tokens; ++token) {
        EXPECT_NEAR(found[token].item<double>(), expected[token],
                    1e-6 / static_cast<double>(tokens))
            << word << " of " << tokens << ", token " << token;
      }
    }
  }
}

TEST(KeyRepetition, ARowWithoutASimilarKeyLeavesOutTheFirst) {
  // Orthogonal keys but for 0 and 1, whose cosine of 0.4 counts in column 1 alone.
  const at::Tensor keys =
      at::tensor({1.0F, 0.0F, 0.0F, 0.4F, std::sqrt(0.84F), 0.0F, 0.0F, 0.0F, 1.0F}).view({3, 3});
  const at::Tensor found = key_repetition(keys, {});
  const double lifted = std::exp(0.4 / 3);
  EXPECT_NEAR(found[1].item<double>(), lifted / (2 + lifted), 1e-6);
  EXPECT_NEAR(found[0].item<double>(), 1 / (2 + lifted), 1e-6);
}

TEST(OrderedCut, LeavesTheCacheInEitherOrder) {
  const at::Tensor scores = at::tensor({0.1F, 0.7F, 0.7F, 0.2F, 0.9F});
  EXPECT_EQ(ordered_selection(scores, 5, 2, PoolOrder::kScore),
            (std::vector<int64_t>{4, 1, 2, 5, 6}));
  EXPECT_EQ(ordered_selection(scores, 4, 2, PoolOrder::kPosition),
            (std::vector<int64_t>{1, 4, 5, 6}));
  EXPECT_EQ(ordered_selection(scores, 2, 2, PoolOrder::kScore), (std::vector<int64_t>{5, 6}));
}

int64_t compare(const Plan& plan,
                const std::vector<int64_t>& rows,
                const std::vector<int64_t>& padding = {}) {
  const auto score = made_component(make_score_redundancy,
                                    "{name: redundancy, window: 3, kernel: 3, lambda: 0.2}");
  RememberedQueries queries;
  int64_t compared = 0;
  RandomEvictions controller(*score, [&](const LayerStep& layer_step) {
    queries.add(layer_step);
    const int64_t window = fitting_window(3, tightest_count(layer_step));
    const int64_t first = first_of_window(layer_step.step, window);
    const at::Tensor scores = score->score(layer_step);
    for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
      for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
        const int64_t past = tokens_before(layer_step, row, head, first);
        const std::vector<double> attention = oracle_pool(
            oracle_window_mean(queries, layer_step, row, head, window, true), past, 3, true);
        const at::Tensor keys =
            at::cat({layer_step.cache->keys(0, row, head), layer_step.k[row][head]});
        int64_t blind = 0;
        while (position_of(layer_step, row, head, blind) < layer_step.cache->padding(row)) ++blind;
        const std::vector<double> repeated = repetition(keys.slice(0, blind), 0.5, "last", 0);
        for (int64_t token = blind; token < past; ++token, ++compared) {
          EXPECT_NEAR(scores[row][head][token].item<double>(),
                      0.2 * attention[token] - 0.8 * repeated[token - blind], 2e-6)
              << fmt::format("step {}, row {}, head {}, token {}", layer_step.step.index, row, head,
                             token);
        }
      }
    }
  });
  run_evictions(controller, plan, rows, padding);
  return compared;
}

TEST(Redundancy, EqualsItsDefinition) {
  EXPECT_GT(compare(ragged_scales(), {4}), 100);
  EXPECT_GT(compare(ragged_tokens(), {4, 9, 2}), 100);
}

TEST(Redundancy, PaddingRepeatsNothing) {
  EXPECT_GT(compare(ragged_tokens(), {4, 9}, {4, 1}), 30);
}

}  // namespace
}  // namespace kvscope
