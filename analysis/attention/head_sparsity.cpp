#include "analysis/attention/head_sparsity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "core/base/error.h"

namespace kvscope {

std::vector<double> head_sparsity(const AttentionRecord& record,
                                  const Neighbourhood& neighbourhood) {
  const int64_t recent = neighbourhood.recent_tokens;
  if (recent < 0 || neighbourhood.lines_above < 0 || neighbourhood.columns_beside < 0) {
    throw Error(ErrorKind::kConfig,
                fmt::format("a neighbourhood of {} tokens, {} lines above and {} columns beside: "
                            "expected numbers from 0 on",
                            recent, neighbourhood.lines_above, neighbourhood.columns_beside));
  }
  const int64_t pairs = record.layers * record.heads;
  if (!record.arrays.contains("mass.offset") || !record.arrays.contains("mass.condition") ||
      pairs < 1) {
    throw Error(ErrorKind::kInput,
                "the record does not say where the queries of single tokens look: it is of a "
                "next-scale model, or was made without mass.offset and mass.condition; expected a "
                "next-token model's, as of kvscope attention record model=shapes_next_token");
  }
  const NamedArray& offset_mass = record.array("mass.offset");
  const NamedArray& condition_mass = record.array("mass.condition");
  const int64_t line = offset_mass.parameter("line_tokens");
  const int64_t width = 2 * line - 1;
  const int64_t cells = std::ssize(offset_mass.values) / pairs;
  const int64_t tokens = std::ssize(condition_mass.values) / pairs;
  std::vector<double> sparsity;
  for (int64_t pair = 0; pair < pairs; ++pair) {
    double near = 0;
    for (int64_t cell = 0; cell < cells; ++cell) {
      const int64_t above = cell / width;
      const int64_t beside = cell % width - (line - 1);
      const bool is_recent = above * line - beside <= recent;
      const bool is_above = above >= 1 && above <= neighbourhood.lines_above &&
                            std::abs(beside) <= neighbourhood.columns_beside;
      if (is_recent || is_above) near += offset_mass.values[pair * cells + cell];
    }
    for (int64_t back = 0; back <= std::min(recent, tokens - 1); ++back) {
      near += condition_mass.values[pair * tokens + back];
    }
    sparsity.push_back(std::clamp(1 - near, 0.0, 1.0));
  }
  return sparsity;
}

std::vector<uint8_t> contextual_heads(const std::vector<double>& values, double share) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t head) { return values[head]; });
  const auto count = std::llround(share * static_cast<double>(order.size()));
  std::vector<uint8_t> is_contextual(order.size(), 0);
  for (int64_t i = 0; i < count; ++i) is_contextual[order[static_cast<size_t>(i)]] = 1;
  return is_contextual;
}

const std::vector<double>& head_variance(const AttentionRecord& record) {
  if (!record.arrays.contains("variance.query")) {
    throw Error(ErrorKind::kInput,
                "the record does not say how differently the queries of the last scale look: it is "
                "of a next-token model, or was made without variance.query; expected a next-scale "
                "model's, as of kvscope attention record model=shapes_next_scale");
  }
  return record.array("variance.query").values;
}

}  // namespace kvscope
