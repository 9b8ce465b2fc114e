#include "policies/profiles/duo_heads.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "policies/shares/even_shares.h"

namespace kvscope {
namespace {

/// `streaming` of the lowest heads share `rest` tokens, the others have `full` each.
DuoHeads shared(const HeadTable& table,
                const CacheGeometry& geometry,
                int64_t streaming,
                int64_t full,
                int64_t rest,
                int64_t least) {
  DuoHeads duo{.streams = lowest_heads(table, geometry, streaming), .tokens = {}};
  const std::vector<int64_t> shares = even_shares(rest, streaming, least);
  auto share = shares.begin();
  for (const auto& layer : duo.streams) {
    duo.tokens.emplace_back();
    for (const uint8_t streams : layer) {
      duo.tokens.back().push_back(streams != 0 ? std::min(*share++, full) : full);
    }
  }
  return duo;
}

/// The digits of `index` in base 2, mirrored behind the point.
double radical_inverse(int64_t index) {
  double value = 0;
  for (double digit = 0.5; index > 0; index /= 2, digit /= 2) {
    value += static_cast<double>(index % 2) * digit;
  }
  return value;
}

}  // namespace

at::Tensor duo_head_scores(const at::Tensor& mean_q,
                           const at::Tensor& mean_k,
                           const RotationTable& table) {
  const Rotation everywhere{.cosine = table.cosine, .sine = table.sine, .pairs = table.pairs};
  const int64_t last = table.cosine.size(0) - 1;
  const Rotation at_last{.cosine = table.cosine.narrow(0, last, 1),
                         .sine = table.sine.narrow(0, last, 1),
                         .pairs = table.pairs};
  const double scale = 1 / std::sqrt(static_cast<double>(mean_q.size(-1)));
  const int64_t heads = mean_k.size(2);
  const int64_t group = mean_q.size(2) / heads;
  at::Tensor scores = at::zeros({mean_k.size(1), heads}, mean_q.options());
  for (int64_t sample = 0; sample < mean_q.size(0); ++sample) {
    for (int64_t layer = 0; layer < mean_q.size(1); ++layer) {  // one at a time: [H, positions, D]
      const at::Tensor q = rotate(mean_q[sample][layer].unflatten(0, {heads, group}), at_last);
      const at::Tensor k = mean_k[sample][layer].unsqueeze(1).expand({-1, last + 1, -1});
      const at::Tensor logits = at::matmul(q, rotate(k, everywhere).transpose(1, 2)) * scale;
      scores[layer] += at::softmax(logits, -1).cumsum(-1).mean({1, 2});
    }
  }
  return scores / static_cast<double>(std::max<int64_t>(mean_q.size(0), 1));
}

int64_t streaming_head_count(double ratio, int64_t heads) {
  return std::clamp<int64_t>(std::llrint(ratio * static_cast<double>(heads)), 0, heads);
}

HeadTable spread_heads(const CacheGeometry& geometry) {
  std::vector<std::vector<double>> values;
  for (int64_t layer = 0; layer < geometry.layers; ++layer) {
    values.emplace_back();
    for (int64_t head = 0; head < geometry.heads; ++head) {
      // A layer begins one further, so that its neighbours' streaming heads are others.
      values.back().push_back(radical_inverse(layer * (geometry.heads + 1) + head));
    }
  }
  return {std::move(values), "heads spread evenly"};
}

DuoHeads duo_by_heads(const HeadTable& table,
                      const CacheGeometry& geometry,
                      int64_t budget,
                      int64_t full,
                      int64_t sinks,
                      int64_t recent) {
  const int64_t heads = geometry.layers * geometry.heads;
  if (budget >= full) return shared(table, geometry, 0, full, 0, 1);
  const int64_t held =
      sinks + std::min(recent, std::max<int64_t>((budget - sinks) / 2, 1));  // by a streaming head
  const int64_t spare = heads * (budget - held);
  const int64_t retrieval = spare > 0 && full > held ? spare / (full - held) : 0;
  return shared(table, geometry, heads - retrieval, full, heads * budget - retrieval * full, 1);
}

DuoHeads duo_by_recent(const HeadTable& table,
                       const CacheGeometry& geometry,
                       int64_t budget,
                       int64_t full,
                       int64_t sinks,
                       double ratio) {
  const int64_t heads = geometry.layers * geometry.heads;
  if (budget >= full) return shared(table, geometry, 0, full, 0, 1);
  const int64_t streaming = streaming_head_count(ratio, heads);
  const int64_t rest = heads * budget - (heads - streaming) * full;
  return shared(table, geometry, streaming, full, rest, sinks + 1);
}

}  // namespace kvscope
