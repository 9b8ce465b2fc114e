#pragma once

#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

/// Twice the centre of a token's cell, and the cells of its grid: exact where sides are compared.
struct NaivePlace {
  bool in_image = false;
  int64_t row = 0;
  int64_t rows = 1;
  int64_t column = 0;
  int64_t columns = 1;
};

inline NaivePlace naive_place(const NaiveRecording& seen, int64_t position) {
  const int64_t condition = seen.steps().front().queries();
  if (seen.steps().front().kind == StepKind::kPrefill) {
    if (position < condition) return {};
    const int64_t line = seen.geometry.line_tokens;
    const int64_t image = all_tokens(seen.steps()) - condition;
    const int64_t token = position - condition;
    return {true, token / line, (image + line - 1) / line, token % line, line};
  }
  for (const StepInfo& info : seen.steps()) {
    if (position >= info.first_token + info.queries()) continue;
    const int64_t token = position - info.first_token;
    return {true, token / info.grid_width, info.grid_height, token % info.grid_width,
            info.grid_width};
  }
  return {};
}

/// Distance of cell a of n from cell b of m, in 2 n m-ths of a side.
inline int64_t exact_distance(int64_t a, int64_t n, int64_t b, int64_t m) {
  return std::abs((2 * a + 1) * m - (2 * b + 1) * n);
}

/// The share of a line's attention that `is_near`(query, key) takes in, mean over sampled lines.
template <class Near>
double naive_near_mass(const NaiveRecording& seen, const Where& where, const Near& is_near) {
  const StepInfo& info = seen.steps()[static_cast<size_t>(where("step"))];
  if (info.kind == StepKind::kPrefill) return 0;
  Mean mean;
  seen.each_line(
      where("layer"), where("head"), where("step"),
      [&](const NaiveLine& line) {
        const NaivePlace query = naive_place(seen, info.first_token + line.query);
        double mass = 0;
        for (int64_t key = 0; key < line.keys; ++key) {
          const NaivePlace place = naive_place(seen, key);
          if (place.in_image && is_near(query, place)) mass += line.weights[key];
        }
        mean.add(mass);
      },
      seen.options.sampled_queries);
  return mean.value();
}

}  // namespace kvscope
