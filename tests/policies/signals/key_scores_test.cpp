// Scores of keys alone against their definitions in double, on ragged and padded caches.
#include "policies/signals/key_scores.h"

#include <array>

#include "../score/attention_oracle.h"

namespace kvscope {

MakeComponent<Score> make_score_key_norm, make_score_key_difference;

namespace {

using Vector = std::vector<double>;

Vector in_double(const at::Tensor& x) {
  const at::Tensor wide = x.to(at::kDouble).contiguous();
  return {wide.const_data_ptr<double>(), wide.const_data_ptr<double>() + wide.numel()};
}

double norm(const Vector& x) {
  return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}

/// Keys of [history | current step].
std::vector<Vector> keys_of(const LayerStep& layer_step, int64_t row, int64_t head) {
  std::vector<Vector> keys;
  const at::Tensor past = layer_step.cache->keys(layer_step.layer, row, head);
  for (int64_t i = 0; i < past.size(0); ++i) keys.push_back(in_double(past[i]));
  for (int64_t i = 0; i < layer_step.k.size(2); ++i) {
    keys.push_back(in_double(layer_step.k[row][head][i]));
  }
  return keys;
}

/// -cos to the mean direction of the keys that count.
Vector difference(const std::vector<Vector>& keys, const std::vector<bool>& counts) {
  Vector anchor(keys.front().size(), 0.0);
  double counted = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!counts[i]) continue;
    counted += 1;
    for (std::size_t c = 0; c < anchor.size(); ++c) anchor[c] += keys[i][c] / norm(keys[i]);
  }
  for (double& value : anchor) value /= counted;
  Vector scores;
  for (const Vector& key : keys) {
    scores.push_back(-std::inner_product(key.begin(), key.end(), anchor.begin(), 0.0) /
                     (norm(key) * norm(anchor)));
  }
  return scores;
}

/// Compares a part's scores of every token that is no padding, at every eviction.
template <class Oracle>
void check(MakeComponent<Score>* make,
           const std::string& text,
           double tolerance,
           const Oracle& oracle) {
  const auto score = made_component(make, text);
  int64_t compared = 0;
  RandomEvictions controller(*score, [&](const LayerStep& layer_step) {
    const at::Tensor scores = score->score(layer_step);
    for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
      for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
        const std::vector<Vector> keys = keys_of(layer_step, row, head);
        std::vector<bool> counts;
        for (int64_t token = 0; token < std::ssize(keys); ++token) {
          counts.push_back(position_of(layer_step, row, head, token) >=
                           layer_step.cache->padding(row));
        }
        const Vector expected = oracle(keys, counts);
        for (int64_t token = 0; token < std::ssize(keys); ++token) {
          if (!counts[token]) continue;
          EXPECT_NEAR(scores[row][head][token].template item<double>(), expected[token],
                      tolerance * std::abs(expected[token]) + 2e-6)
              << fmt::format("step {}, row {}, head {}, token {}", layer_step.step.index, row, head,
                             token);
          ++compared;
        }
      }
    }
  });
  run_evictions(controller, ragged_scales(), {4, 9, 2});
  run_evictions(controller, ragged_tokens(), {5});
  run_evictions(controller, ragged_tokens(), {5, 0, 3}, {0, 4, 1});
  EXPECT_GT(compared, 900);
}

TEST(KeyNorm, EqualsItsDefinition) {
  check(make_score_key_norm, "key_norm", 6.2e-5, [](const auto& keys, const auto&) {
    Vector scores;
    for (const Vector& key : keys) scores.push_back(-norm(key));
    return scores;
  });
}

// A key has the same norm wherever it is turned to, whatever the last bit says.
TEST(KeyNorm, EqualTokensAreEqual) {
  const auto score = made_component(make_score_key_norm, "key_norm");
  const CacheGeometry geometry{
      .layers = 1, .heads = 2, .head_dim = 64, .steps = next_scale_steps({{1, 40}, {1, 1}})};
  KvCache cache(full_plan(geometry), 1, at::kCPU);
  auto generator = at::detail::createCPUGenerator(8);
  const at::Tensor one = at::randn({1, 2, 1, 64}, generator);
  const at::Tensor noise = 1 + 4e-7 * at::randn({1, 2, 40, 1}, generator);
  const at::Tensor keys = (one * noise).contiguous();
  LayerStep layer_step{{.step = geometry.steps[0], .q = keys, .k = keys, .v = keys}};
  layer_step.cache = &cache;
  const at::Tensor scores = score->score(layer_step);
  for (int64_t head = 0; head < 2; ++head) {
    EXPECT_EQ((scores[0][head] == scores[0][head][0]).sum().item<int64_t>(), 40);
  }
}

TEST(KeyDifference, EqualsItsDefinition) {
  check(make_score_key_difference, "key_difference", 0.0, difference);
}

TEST(KeyDifference, AKeyOfZerosIsLikeNoOther) {
  at::Tensor keys = at::ones({1, 3, 4});
  keys[0][1].zero_();
  const at::Tensor scores = key_difference_scores(keys);
  EXPECT_NEAR(scores[0][0].item<double>(), -1, 1e-6);
  EXPECT_EQ(scores[0][1].item<double>(), 0);
}

TEST(BlockKeyDifference, KeepsTheBestOfWhatStayedAndTheBlock) {
  auto generator = at::detail::createCPUGenerator(3);
  for (const auto& [tokens, count, block] :
       std::vector<std::array<int64_t, 3>>{{41, 7, 5}, {41, 7, 64}, {20, 20, 3}, {9, 12, 4}}) {
    const at::Tensor keys = at::randn({2, tokens, 6}, generator);
    const auto kept = block_key_difference_kept(keys, count, block);
    for (int64_t line = 0; line < 2; ++line) {
      std::vector<int64_t> expected;
      for (int64_t token = 0; token < std::min(count, tokens); ++token) expected.push_back(token);
      for (int64_t begin = count; begin < tokens; begin += block) {
        for (int64_t i = begin; i < std::min(begin + block, tokens); ++i) expected.push_back(i);
        std::vector<Vector> held;
        for (const int64_t token : expected) held.push_back(in_double(keys[line][token]));
        const Vector scores = difference(held, std::vector<bool>(held.size(), true));
        std::vector<std::size_t> order(held.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
        std::vector<int64_t> best;
        for (int64_t i = 0; i < count; ++i) best.push_back(expected[order[i]]);
        std::sort(best.begin(), best.end());
        expected = best;
      }
      EXPECT_EQ(kept[line], expected) << tokens << " " << count << " " << block;
    }
  }
}

}  // namespace
}  // namespace kvscope
