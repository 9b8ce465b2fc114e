#include "policies/signals/query_moments.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace kvscope {
namespace {

/// Row of the table for each of `count` tokens from position `first` on: [rows or 1, count].
at::Tensor table_rows(const LayerStep& layer_step, int64_t first, int64_t count) {
  const RotationTable& table = *layer_step.rotation;
  const KvCache& cache = *layer_step.cache;
  const at::Tensor positions = at::arange(first, first + count, at::kLong).unsqueeze(0);
  if (!table.skips_padding || !cache.has_padding()) return positions.to(table.cosine.device());
  std::vector<int64_t> padding;
  for (int64_t row = 0; row < cache.rows(); ++row) padding.push_back(cache.padding(row));
  return (positions - at::tensor(padding, at::kLong).unsqueeze(1))
      .clamp_min(0)
      .to(table.cosine.device());
}

}  // namespace

at::Tensor QueryMoments::covariance() const {
  return scatter / count.clamp_min(1).unsqueeze(-1).unsqueeze(-1);
}

QueryMoments query_moments(const at::Tensor& queries, const at::Tensor& weight) {
  const at::Tensor each = weight.unsqueeze(1).unsqueeze(-1);  // [rows, 1, tokens, 1]
  const at::Tensor count = weight.sum(1, true);
  const at::Tensor mean = (queries * each).sum(2) / count.clamp_min(1).unsqueeze(-1);
  const at::Tensor apart = (queries - mean.unsqueeze(2)) * each;
  return {.count = count, .mean = mean, .scatter = at::matmul(apart.transpose(2, 3), apart)};
}

QueryMoments merged(const QueryMoments& a, const QueryMoments& b) {
  const at::Tensor count = a.count + b.count;
  const at::Tensor share = (b.count / count.clamp_min(1)).unsqueeze(-1);  // [rows, 1, 1]
  const at::Tensor apart = b.mean - a.mean;
  const at::Tensor between = apart.unsqueeze(-1) * apart.unsqueeze(-2);
  return {
      .count = count,
      .mean = a.mean + apart * share,
      .scatter = a.scatter + b.scatter + between * (a.count.unsqueeze(-1) * share).unsqueeze(-1)};
}

PlainQueries plain_queries(const LayerStep& layer_step, int64_t sinks) {
  const KvCache& cache = *layer_step.cache;
  const StepInfo& step = layer_step.step;
  PlainQueries plain{.queries = layer_step.q.to(at::kFloat),
                     .weight = at::ones({cache.rows(), step.queries()}, at::kFloat)};
  for (int64_t row = 0; row < cache.rows(); ++row) {
    const int64_t skipped =
        std::clamp<int64_t>(sinks + cache.padding(row) - step.first_token, 0, step.queries());
    plain.weight[row].narrow(0, 0, skipped).fill_(0);
  }
  plain.weight = plain.weight.to(plain.queries.device());
  if (layer_step.rotation) {
    const at::Tensor rows = table_rows(layer_step, step.first_token, step.queries());
    const Rotation rotation = at_positions(*layer_step.rotation, rows);
    plain.queries = rotate(plain.queries, inverse(rotation));
    const at::Tensor has_position =
        ((rotation.cosine != 0) | (rotation.sine != 0)).any(-1).squeeze(1);  // [rows or 1, tokens]
    plain.weight = plain.weight * has_position;
  }
  return plain;
}

Rotation mean_rotation(const RotationTable& table, const at::Tensor& positions) {
  const Rotation each = at_positions(table, positions);
  return {
      .cosine = each.cosine.mean(2, true), .sine = each.sine.mean(2, true), .pairs = each.pairs};
}

std::optional<Rotation> mean_future_rotation(const LayerStep& layer_step, int64_t most) {
  if (!layer_step.rotation) return std::nullopt;
  const std::vector<StepInfo>& steps = layer_step.cache->plan().geometry().steps;
  const StepInfo& last = steps[static_cast<std::size_t>(last_attending_step(steps))];
  const int64_t first = layer_step.step.first_token + layer_step.step.queries();
  const int64_t count = std::min(most, last.first_token + last.queries() - first);
  if (count < 1) return std::nullopt;
  return mean_rotation(*layer_step.rotation, table_rows(layer_step, first, count));
}

QueryMoments turned(const QueryMoments& moments, const Rotation& rotation) {
  const at::Tensor half = rotate(moments.scatter, rotation);
  return {.count = moments.count,
          .mean = rotate(moments.mean.unsqueeze(2), rotation).squeeze(2),
          .scatter = rotate(half.transpose(2, 3).contiguous(), rotation).transpose(2, 3)};
}

}  // namespace kvscope
