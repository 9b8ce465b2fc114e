// ExpectedAttention against its equations in double, in each kind of model: 1-D rotation, rotation
// over the grid behind a condition without positions, no rotation; ragged heads, padding.
#include <ATen/ATen.h>

#include <cmath>

#include "attention_oracle.h"
#include "core/base/error.h"
#include "core/models/shared/rotation_tables.h"
#include "policies/signals/query_moments.h"

namespace kvscope {

MakeComponent<Score> make_score_expected_attention;

namespace {

constexpr int64_t kDim = 8;
constexpr int64_t kHeads = 3;
constexpr double kScale = 0.3;
using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

Vector in_double(const at::Tensor& x) {
  const at::Tensor wide = x.to(at::kDouble).contiguous();
  return {wide.const_data_ptr<double>(), wide.const_data_ptr<double>() + wide.numel()};
}

/// A model's rotations, and where in them a token stands: -1, nowhere.
struct Rotations {
  std::optional<RotationTable> table;
  std::vector<int64_t> padding;  // [rows]; empty: none

  [[nodiscard]] int64_t row_of(int64_t row, int64_t position) const {
    const int64_t padded = padding.empty() ? 0 : padding[static_cast<std::size_t>(row)];
    return std::max<int64_t>(table->skips_padding ? position - padded : position, 0);
  }
  /// The mean rotation of some rows of the table as a matrix, written out; of row -1 none.
  [[nodiscard]] Matrix mean_matrix(const std::vector<int64_t>& rows) const {
    Matrix mean(kDim, Vector(kDim, 0.0));
    for (const int64_t row : rows) {
      if (row < 0) {
        for (int64_t j = 0; j < kDim; ++j) mean[j][j] = 1;
        break;
      }
      for (int64_t j = 0; j < kDim / 2; ++j) {
        const bool halves = table->pairs == RotationPairs::kHalves;
        const int64_t a = halves ? j : 2 * j;
        const int64_t b = halves ? j + kDim / 2 : 2 * j + 1;
        const auto share = 1.0 / static_cast<double>(rows.size());
        const double cosine = table->cosine[row][j].item<double>() * share;
        const double sine = table->sine[row][j].item<double>() * share;
        mean[a][a] += cosine;
        mean[a][b] -= sine;
        mean[b][a] += sine;
        mean[b][b] += cosine;
      }
    }
    return mean;
  }
};

/// What the oracle is told of the options.
struct Options {
  std::string text;
  int64_t future = 512;
  int64_t newest = 1000;  // queries
  int64_t sinks = 4;
  bool covariance = true;
  bool value_norm = true;
  double epsilon = 0;
};

Vector times(const Matrix& m, const Vector& x) {
  Vector y;
  for (const Vector& line : m) {
    y.push_back(std::inner_product(line.begin(), line.end(), x.begin(), 0.0));
  }
  return y;
}

/// Plain queries of every (row, head) so far, with their positions.
using Queries = std::map<std::pair<int64_t, int64_t>, std::vector<std::pair<int64_t, Vector>>>;

Vector oracle(const LayerStep& s,
              const Options& options,
              const Rotations& rotations,
              const Queries& queries,
              int64_t row,
              int64_t head) {
  const int64_t padding = s.cache->padding(row);
  Matrix used;
  auto all = queries.at({row, head});
  if (std::ssize(all) > options.newest) all.erase(all.begin(), all.end() - options.newest);
  for (const auto& [position, query] : all) {
    const bool placed =
        !rotations.table ||
        rotations.table->cosine[rotations.row_of(row, position)].abs().sum().item<double>() > 0;
    if (position - padding >= options.sinks && placed) used.push_back(query);
  }
  const auto count = static_cast<double>(std::max<std::size_t>(used.size(), 1));
  Vector mean(kDim, 0.0);
  Matrix covariance(kDim, Vector(kDim, 0.0));
  for (const Vector& q : used) {
    for (int64_t c = 0; c < kDim; ++c) mean[c] += q[c] / count;
  }
  for (const Vector& q : used) {
    for (int64_t a = 0; a < kDim; ++a) {
      for (int64_t b = 0; b < kDim; ++b) {
        covariance[a][b] += (q[a] - mean[a]) * (q[b] - mean[b]) / count;
      }
    }
  }
  if (rotations.table) {
    const auto& steps = s.cache->plan().geometry().steps;
    const StepInfo& last = steps[static_cast<std::size_t>(last_attending_step(steps))];
    std::vector<int64_t> rows;
    for (int64_t position = s.step.first_token + s.step.queries();
         position < last.first_token + last.queries() && std::ssize(rows) < options.future;
         ++position) {
      rows.push_back(rotations.row_of(row, position));
    }
    // After the last step nobody looks any more, and nothing is turned.
    if (rows.empty()) rows.push_back(-1);
    const Matrix turn = rotations.mean_matrix(rows);
    mean = times(turn, mean);
    Matrix half;
    for (int64_t b = 0; b < kDim; ++b) {  // columns of covariance, turned
      Vector column;
      for (int64_t a = 0; a < kDim; ++a) column.push_back(covariance[a][b]);
      half.push_back(times(turn, column));
    }
    for (int64_t a = 0; a < kDim; ++a) {
      Vector line;
      for (int64_t b = 0; b < kDim; ++b) line.push_back(half[b][a]);
      covariance[a] = times(turn, line);
    }
  }
  const int64_t tokens = tokens_held(s, row, head);
  const int64_t held = s.cache->length(s.layer, row, head);
  Vector logits;
  Vector norms;
  double total = 0;
  for (int64_t token = 0; token < tokens; ++token) {
    const Vector key = in_double(token < held ? s.cache->keys(s.layer, row, head)[token]
                                              : s.k[row][head][token - held]);
    const at::Tensor value =
        token < held ? s.cache->values(s.layer, row, head)[token] : s.v[row][head][token - held];
    norms.push_back(value.to(at::kDouble).norm().item<double>());
    double logit = kScale * std::inner_product(key.begin(), key.end(), mean.begin(), 0.0);
    const Vector spread = times(covariance, key);
    if (options.covariance) {
      logit +=
          kScale * kScale / 2 * std::inner_product(key.begin(), key.end(), spread.begin(), 0.0);
    }
    const bool counted = position_of(s, row, head, token) - padding >= options.sinks;
    logits.push_back(counted ? std::exp(logit) : 0.0);
    total += logits.back();
  }
  Vector scores;
  double largest = 0;
  for (int64_t token = 0; token < tokens; ++token) {
    const double attention = total > 0 ? logits[token] / total : 0;
    scores.push_back(options.value_norm ? (attention + options.epsilon) * norms[token] : attention);
    if (position_of(s, row, head, token) >= padding + options.sinks) {
      largest = std::max(largest, scores.back());
    }
  }
  for (int64_t token = 0; token < tokens; ++token) {
    if (position_of(s, row, head, token) < padding + options.sinks)
      scores[token] = -1;  // see below
  }
  return scores;
}

/// Runs a generation whose queries and keys are turned as the rotations say, comparing at every
/// eviction.
void check(const Options& options, const Rotations& rotations, const Plan& plan, int64_t rows) {
  const auto score = made_component(make_score_expected_attention,
                                    "{name: expected_attention" + options.text + "}");
  Queries queries;
  at::Tensor plain;
  int64_t compared = 0;
  RandomEvictions controller(*score, [&](const LayerStep& s) {
    const at::Tensor scores = score->score(s);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t head = 0; head < kHeads; ++head) {
        for (int64_t i = 0; i < s.step.queries(); ++i) {
          queries[{row, head}].emplace_back(s.step.first_token + i, in_double(plain[row][head][i]));
        }
        const Vector expected = oracle(s, options, rotations, queries, row, head);
        const double best = *std::max_element(expected.begin(), expected.end());
        for (int64_t token = 0; token < std::ssize(expected); ++token) {
          const auto actual = scores[row][head][token].item<double>();
          if (position_of(s, row, head, token) < s.cache->padding(row)) continue;
          if (expected[token] < 0) {
            EXPECT_GT(actual, best) << "a sink";
          } else {
            EXPECT_NEAR(actual, expected[token], 5e-5 * (1 + expected[token])) << fmt::format(
                "step {}, row {}, head {}, token {}", s.step.index, row, head, token);
          }
          ++compared;
        }
      }
    }
  });
  KvCache cache(plan, rows, at::kCPU);
  if (!rotations.padding.empty()) cache.set_padding(rotations.padding);
  AttentionContext context{.cache = cache, .controller = &controller};
  context.rotation = rotations.table;
  controller.begin_generation(rows);
  for (const StepInfo& step : plan.geometry().steps) {
    if (!step.stored) break;  // nothing is evicted from it
    std::vector<int64_t> seeds(static_cast<std::size_t>(rows));
    std::iota(seeds.begin(), seeds.end(), 3);
    const LayerInputs in = layer_inputs(plan.geometry(), step, 0, seeds);
    plain = in.q + 0.7;  // a mean that is not 0
    const auto placed = [&](const at::Tensor& x) {
      if (!rotations.table) return x;
      std::vector<int64_t> table_rows;
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t i = 0; i < step.queries(); ++i) {
          table_rows.push_back(rotations.row_of(row, step.first_token + i));
        }
      }
      return rotate(
          x, at_positions(*rotations.table, at::tensor(table_rows, at::kLong).view({rows, -1})));
    };
    attend(context, {.step = step,
                     .layer = 0,
                     .q = placed(plain),
                     .k = placed(in.k),
                     .v = in.v,
                     .softmax_scale = kScale,
                     .hidden = in.hidden,
                     .query_weight = in.query_weight});
  }
  EXPECT_GT(compared, 300);
}

Plan tokens_plan() {
  CacheGeometry geometry{.layers = 1,
                         .heads = kHeads,
                         .head_dim = kDim,
                         .steps = next_token_steps(7, 13)};  // 12 image tokens are fed
  std::vector<LayerHeadTokens> kept;
  for (int64_t step = 0; step < 14; ++step) {
    const int64_t held = 7 + std::min<int64_t>(step, 12);
    kept.push_back({{std::min<int64_t>(held, 9), std::min<int64_t>(held, 12), held}});
  }
  return Plan(geometry, kept);
}

Plan scales_plan() {
  return Plan({.layers = 1,
               .heads = kHeads,
               .head_dim = kDim,
               .steps = next_scale_steps({{1, 1}, {2, 3}, {4, 3}, {5, 5}, {3, 7}})},
              {{{1, 1, 1}}, {{7, 4, 5}}, {{11, 16, 8}}, {{20, 41, 9}}, {{20, 41, 9}}});
}

TEST(ExpectedAttention, OnALine) {
  Rotations rotations{.table = line_rotation(20, kDim, 100.0), .padding = {}};
  check({.text = ""}, rotations, tokens_plan(), 2);
  check({.text = ", n_future: 3, epsilon: 0.05", .future = 3, .epsilon = 0.05}, rotations,
        tokens_plan(), 1);
  check({.text = ", covariance: ignore, sinks: 0", .sinks = 0, .covariance = false}, rotations,
        tokens_plan(), 1);
}

TEST(ExpectedAttention, WithPaddedRows) {
  Rotations rotations{.table = line_rotation(20, kDim, 100.0), .padding = {0, 3, 5}};
  check({.text = ", sinks: 2", .sinks = 2}, rotations, tokens_plan(), 3);
  rotations.table->skips_padding = true;
  check({.text = ", sinks: 2", .sinks = 2}, rotations, tokens_plan(), 3);
}

TEST(ExpectedAttention, OnAGridBehindAConditionWithoutPositions) {
  check({.text = ", sinks: 1, value_norm: ignore", .sinks = 1, .value_norm = false},
        {.table = grid_rotation(7, 3, 4, kDim, 100.0), .padding = {}}, tokens_plan(), 2);
}

TEST(ExpectedAttention, WithoutRotation) {
  check({.text = ""}, {}, scales_plan(), 2);
}

TEST(ExpectedAttention, FromTheNewestQueriesOnly) {
  check({.text = ", queries: 5", .newest = 5},
        {.table = line_rotation(20, kDim, 100.0), .padding = {}}, tokens_plan(), 2);
}

TEST(ExpectedAttention, AllTheRemainingPlaces) {
  auto generator = at::detail::createCPUGenerator(6);
  const at::Tensor angles = at::randn({65, kDim / 2}, generator);
  RotationTable table{.cosine = angles.cos() * 0.9,  // interpolated tables lie inside the circle
                      .sine = angles.sin() * 0.9,
                      .pairs = RotationPairs::kNeighbours};
  check({.text = ", n_future: remaining", .future = 1000}, {.table = table, .padding = {}},
        scales_plan(), 2);
}

TEST(QueryMoments, MergeToThoseOfAll) {
  auto generator = at::detail::createCPUGenerator(9);
  const at::Tensor q = at::randn({2, 3, 23, 5}, generator) + 4;
  at::Tensor weight = at::ones({2, 23});
  weight[1].narrow(0, 0, 9).zero_();
  const QueryMoments whole = query_moments(q, weight);
  std::optional<QueryMoments> parts;
  int64_t begin = 0;
  for (const int64_t count : {4, 1, 11, 7}) {
    const QueryMoments part =
        query_moments(q.narrow(2, begin, count), weight.narrow(1, begin, count));
    parts = parts ? merged(*parts, part) : part;
    begin += count;
  }
  EXPECT_TRUE(at::equal(parts->count, whole.count));
  EXPECT_LT((parts->mean - whole.mean).abs().max().item<double>(), 1e-5);
  EXPECT_LT((parts->covariance() - whole.covariance()).abs().max().item<double>(), 1e-5);
}

TEST(ExpectedAttention, RefusesOtherWordsAndNumbers) {
  for (const char* text : {"n_future: 0", "n_future: all", "queries: most", "sinks: -1",
                           "covariance: no", "epsilon: -0.1"}) {
    EXPECT_THROW(made_component(make_score_expected_attention,
                                std::string("{name: expected_attention, ") + text + "}"),
                 Error)
        << text;
  }
}

}  // namespace
}  // namespace kvscope
