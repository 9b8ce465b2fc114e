// CAKE's score and preference against plain double loops: ragged heads, padding, remembered
// queries.
#include <map>

#include "attention_oracle.h"
#include "policies/signals/cake_scores.h"
#include "policies/signals/observation_window.h"

namespace kvscope {

MakeComponent<Score> make_score_cake;

namespace {

constexpr double kUnseen = -std::numeric_limits<double>::infinity();

/// Softmax of a line in double; 0 where all is unseen.
std::vector<double> softmax(const std::vector<double>& logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> weights;
  double total = 0;
  for (const double logit : logits) {
    weights.push_back(largest == kUnseen ? 0 : std::exp(logit - largest));
    total += weights.back();
  }
  for (double& weight : weights) weight /= std::max(total, 1e-300);
  return weights;
}

/// mean + gamma * unbiased variance over lines [queries][tokens], blind ones left out.
std::vector<double> statistics(const std::vector<std::vector<double>>& attention, double gamma) {
  std::vector<double> scores;
  for (std::size_t token = 0; token < attention.front().size(); ++token) {
    double sum = 0;
    double squares = 0;
    int64_t looking = 0;
    for (const auto& line : attention) {
      if (std::accumulate(line.begin(), line.end(), 0.0) < 0.5) continue;
      sum += line[token];
      ++looking;
    }
    const double mean = sum / static_cast<double>(std::max<int64_t>(looking, 1));
    for (const auto& line : attention) {
      if (std::accumulate(line.begin(), line.end(), 0.0) < 0.5) continue;
      squares += (line[token] - mean) * (line[token] - mean);
    }
    scores.push_back(mean +
                     gamma * squares / static_cast<double>(std::max<int64_t>(looking - 1, 1)));
  }
  return scores;
}

/// Every query that was ever fed, by (row, head, position).
using Queries = std::map<std::tuple<int64_t, int64_t, int64_t>, at::Tensor>;

void remember(Queries& queries, const LayerStep& layer_step) {
  for (int64_t row = 0; row < layer_step.q.size(0); ++row) {
    for (int64_t head = 0; head < layer_step.q.size(1); ++head) {
      for (int64_t query = 0; query < layer_step.q.size(2); ++query) {
        queries[{row, head, layer_step.step.first_token + query}] =
            layer_step.q[row][head][query].to(at::kDouble);
      }
    }
  }
}

struct Options {
  int64_t window;
  double gamma;
  int64_t kernel;
  bool last_query;
};

/// The score of a head's past; window tokens NaN, as nobody reads them.
std::vector<double> oracle(const Queries& queries,
                           const LayerStep& layer_step,
                           int64_t row,
                           int64_t head,
                           const Options& options) {
  const StepInfo& step = layer_step.step;
  const bool scale = step.kind == StepKind::kScale;
  const int64_t end = step.first_token + step.queries();
  const int64_t window = fitting_window(options.window, tightest_count(layer_step));
  const int64_t first = std::max(scale ? step.first_token : 0, end - window);
  const int64_t looks_from = options.last_query && step.kind == StepKind::kToken ? end - 1 : first;
  const int64_t tokens = tokens_held(layer_step, row, head);
  const int64_t held = layer_step.cache->length(layer_step.layer, row, head);
  const int64_t padding = layer_step.cache->padding(row);
  std::vector<std::vector<double>> attention;
  for (int64_t from = looks_from; from < end; ++from) {
    std::vector<double> logits;
    for (int64_t token = 0; token < tokens; ++token) {
      const int64_t to = position_of(layer_step, row, head, token);
      const bool visible = from >= padding && to >= padding && (scale || to <= from);
      const at::Tensor key = token < held
                                 ? layer_step.cache->keys(layer_step.layer, row, head)[token]
                                 : layer_step.k[row][head][token - held];
      logits.push_back(visible ? (queries.at({row, head, from}) * key).sum().item<double>() *
                                     layer_step.softmax_scale
                               : kUnseen);
    }
    attention.push_back(softmax(logits));
  }
  const std::vector<double> raw = statistics(attention, options.gamma);
  std::vector<double> scores(raw.size(), std::nan(""));
  for (int64_t token = 0; token < tokens; ++token) {
    const int64_t position = position_of(layer_step, row, head, token);
    if (position >= first || position < padding) continue;
    double sum = 0;
    for (int64_t near = std::max<int64_t>(token - options.kernel / 2, 0);
         near <= std::min(token + options.kernel / 2, tokens - 1); ++near) {
      const int64_t of_near = position_of(layer_step, row, head, near);
      if (of_near < first && of_near >= padding) sum += raw[static_cast<std::size_t>(near)];
    }
    scores[static_cast<std::size_t>(token)] = sum / static_cast<double>(options.kernel);
  }
  return scores;
}

void check(const Options& options, const Plan& plan, const std::vector<int64_t>& padding) {
  const auto score = made_component(
      make_score_cake,
      fmt::format("{{name: cake, window: {}, gamma: {}, kernel: {}, decode: {}}}", options.window,
                  options.gamma, options.kernel, options.last_query ? "last_query" : "window"));
  Queries queries;
  int64_t compared = 0;
  RandomEvictions controller(*score, [&](const LayerStep& layer_step) {
    remember(queries, layer_step);
    const at::Tensor scores = score->score(layer_step);
    for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
      for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
        const auto expected = oracle(queries, layer_step, row, head, options);
        for (int64_t token = 0; token < std::ssize(expected); ++token) {
          const double value = expected[static_cast<std::size_t>(token)];
          if (std::isnan(value)) continue;
          EXPECT_NEAR(scores[row][head][token].item<double>(), value, 2e-5 * (1 + value))
              << fmt::format("step {}, row {}, head {}, token {}", layer_step.step.index, row, head,
                             token);
          ++compared;
        }
      }
    }
  });
  run_evictions(controller, plan,
                padding.empty() ? std::vector<int64_t>{4} : std::vector<int64_t>{4, 9, 2}, padding);
  EXPECT_GT(compared, 40);
}

TEST(Cake, EqualsItsDefinitionOnScales) {
  check({.window = 4, .gamma = 200, .kernel = 5, .last_query = false}, ragged_scales(), {});
  check({.window = 1, .gamma = 3, .kernel = 1, .last_query = true}, ragged_scales(), {});
}

TEST(Cake, EqualsItsDefinitionOnTokens) {
  check({.window = 2, .gamma = 50, .kernel = 3, .last_query = false}, ragged_tokens(), {});
  check({.window = 2, .gamma = 50, .kernel = 3, .last_query = false}, ragged_tokens(), {0, 3, 1});
  check({.window = 2, .gamma = 50, .kernel = 3, .last_query = true}, ragged_tokens(), {4, 0, 2});
}

TEST(Cake, PreferenceEqualsItsDefinition) {
  constexpr int64_t kHeads = 3, kQueries = 4, kTokens = 19;
  const at::Tensor logits =
      4 * at::randn({kHeads, kQueries, kTokens}, at::detail::createCPUGenerator(7));
  logits[1][2].fill_(kUnseen);  // a blind query
  const at::Tensor in_window = at::arange(kTokens) >= kTokens - kQueries;
  double entropy = 0;
  double variance = 0;
  for (int64_t head = 0; head < kHeads; ++head) {
    std::vector<std::vector<double>> attention;
    for (int64_t query = 0; query < kQueries; ++query) {
      std::vector<double> line;
      for (int64_t token = 0; token < kTokens; ++token) {
        line.push_back(logits[head][query][token].item<double>());
      }
      attention.push_back(softmax(line));
    }
    const auto mean = statistics(attention, 0.0);
    const auto both = statistics(attention, 1.0);
    for (int64_t token = 0; token < kTokens - kQueries; ++token) {
      const auto at = static_cast<std::size_t>(token);
      variance += both[at] - mean[at];
      for (const auto& line : attention) entropy -= line[at] * std::log(line[at] + 1e-10);
    }
  }
  for (const auto& [tau1, tau2] : {std::pair(1.0, 1.0), {1.6, 0.4}, {3.0, 2.5}}) {
    const double expected = std::pow(entropy, 1 / tau1) * std::pow(variance, 1 / tau2);
    EXPECT_NEAR(layer_preference(attention_spread(logits, in_window), tau1, tau2), expected,
                1e-5 * expected);
  }
}

}  // namespace
}  // namespace kvscope
