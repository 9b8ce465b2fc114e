#pragma once

#include <map>
#include <tuple>

#include "attention_oracle.h"

namespace kvscope {

/// Every query that was ever fed, and what it sees of a layer now, in double.
class RememberedQueries {
 public:
  void add(const LayerStep& layer_step) {
    for (int64_t row = 0; row < layer_step.q.size(0); ++row) {
      for (int64_t head = 0; head < layer_step.q.size(1); ++head) {
        for (int64_t query = 0; query < layer_step.q.size(2); ++query) {
          queries_[{row, head, layer_step.step.first_token + query}] =
              layer_step.q[row][head][query].to(at::kDouble);
        }
      }
    }
  }

  /// Scaled scores of the query at `position` over [history | current step] of a (row, head);
  /// -infinity where it does not see the token.
  [[nodiscard]] std::vector<double> logits(const LayerStep& layer_step,
                                           int64_t row,
                                           int64_t head,
                                           int64_t position) const {
    const int64_t held = layer_step.cache->length(layer_step.layer, row, head);
    const int64_t padding = layer_step.cache->padding(row);
    const bool scale = layer_step.step.kind == StepKind::kScale;
    const at::Tensor past = layer_step.cache->keys(layer_step.layer, row, head).to(at::kDouble);
    const at::Tensor current = layer_step.k[row][head].to(at::kDouble);
    const at::Tensor& query = queries_.at({row, head, position});
    std::vector<double> line;
    for (int64_t token = 0; token < tokens_held(layer_step, row, head); ++token) {
      const int64_t key = position_of(layer_step, row, head, token);
      const bool sees_it = position >= padding && key >= padding && (scale || key <= position);
      line.push_back(-INFINITY);
      if (!sees_it) continue;
      const at::Tensor& k = token < held ? past[token] : current[token - held];
      line.back() = (query * k).sum().item<double>() * layer_step.softmax_scale;
    }
    return line;
  }

 private:
  std::map<std::tuple<int64_t, int64_t, int64_t>, at::Tensor> queries_;
};

/// First position of a window of up to `window` tokens that ends with the step.
inline int64_t first_of_window(const StepInfo& step, int64_t window) {
  const int64_t end = step.first_token + step.queries();
  return std::max(step.kind == StepKind::kScale ? step.first_token : 0, end - window);
}

/// Mean over the window's queries, padding left out, of their softmax over [history | current
/// step], or over the tokens before the window alone.
inline std::vector<double> oracle_window_mean(const RememberedQueries& queries,
                                              const LayerStep& layer_step,
                                              int64_t row,
                                              int64_t head,
                                              int64_t window,
                                              bool past_alone) {
  const int64_t first = first_of_window(layer_step.step, window);
  const int64_t end = layer_step.step.first_token + layer_step.step.queries();
  std::vector<double> mean(static_cast<std::size_t>(tokens_held(layer_step, row, head)), 0.0);
  double looking = 0;
  for (int64_t position = first; position < end; ++position) {
    if (position < layer_step.cache->padding(row)) continue;
    ++looking;
    std::vector<double> line = queries.logits(layer_step, row, head, position);
    double largest = -INFINITY;
    double total = 0;
    for (std::size_t token = 0; token < line.size(); ++token) {
      const int64_t key = position_of(layer_step, row, head, static_cast<int64_t>(token));
      if (past_alone && key >= first) line[token] = -INFINITY;
      largest = std::max(largest, line[token]);
    }
    if (std::isinf(largest)) continue;
    for (const double logit : line) total += std::exp(logit - largest);
    for (std::size_t token = 0; token < line.size(); ++token) {
      mean[token] += std::exp(line[token] - largest) / total;
    }
  }
  for (double& value : mean) value /= std::max(looking, 1.0);
  return mean;
}

/// Averages (neighbours beyond the ends count as 0) or maxima of the first `past` values.
inline std::vector<double> oracle_pool(const std::vector<double>& values,
                                       int64_t past,
                                       int64_t kernel,
                                       bool maximum) {
  std::vector<double> pooled;
  for (int64_t token = 0; token < past; ++token) {
    double sum = 0;
    double largest = -INFINITY;
    for (int64_t i = token - kernel / 2; i <= token + kernel / 2; ++i) {
      if (i < 0 || i >= past) continue;
      sum += values[i];
      largest = std::max(largest, values[i]);
    }
    pooled.push_back(maximum ? largest : sum / static_cast<double>(kernel));
  }
  return pooled;
}

/// Tokens of a (row, head) before the window.
inline int64_t tokens_before(const LayerStep& layer_step,
                             int64_t row,
                             int64_t head,
                             int64_t first) {
  int64_t count = 0;
  for (int64_t token = 0; token < tokens_held(layer_step, row, head); ++token) {
    count += position_of(layer_step, row, head, token) < first ? 1 : 0;
  }
  return count;
}

}  // namespace kvscope
