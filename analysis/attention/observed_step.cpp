#include "analysis/attention/observed_step.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/measures/full_attention.h"
#include "analysis/attention/measures/received_mass.h"
#include "core/base/error.h"
#include "core/engine/padding.h"
#include "kernels/attention_rows/attention_rows.h"
#include "kernels/column_sum/column_sum.h"
#include "policies/signals/packed_rows.h"

namespace kvscope {
namespace {

constexpr size_t kTileQueries = 64;

/// Some rows of a layer's step, as the kernels read them.
struct RecordedRows {
  at::Tensor q;
  at::Tensor lse;
  at::Tensor k;
  RaggedRows history;
  bool causal;

  RecordedRows(const LayerStep& layer_step, int64_t first, int64_t rows)
      : q(layer_step.q.narrow(0, first, rows)),
        lse(layer_step.lse.narrow(0, first, rows)),
        k(layer_step.k.narrow(0, first, rows)),
        history(layer_step.cache->history(layer_step.layer)),
        causal(layer_step.step.kind == StepKind::kPrefill) {
    const auto before = static_cast<size_t>(first * layer_step.k.size(1));
    const auto count = static_cast<size_t>(rows * layer_step.k.size(1));
    history.begin = history.begin.subspan(before, count);
    history.length = history.length.subspan(before, count);
  }
};

}  // namespace

RowTile::RowTile(at::Tensor packed,
                 std::vector<int64_t> offsets,
                 std::vector<int64_t> queries,
                 int64_t heads,
                 int64_t group)
    : packed_(std::move(packed)),
      offsets_(std::move(offsets)),
      queries_(std::move(queries)),
      heads_(heads),
      group_(group) {}

at::Tensor RowTile::rows_of(const at::Tensor& packed, int64_t image, int64_t head) const {
  return rows_of_slot(packed, offsets_, group_ * std::ssize(queries_),
                      (first_image_ + image) * heads_ + head);
}

at::Tensor RowTile::rows(int64_t image, int64_t head) const {
  return rows_of(packed_, image, head);
}

at::Tensor RowTile::rows_on_cpu(int64_t image, int64_t head) const {
  if (!on_cpu_.defined()) on_cpu_ = packed_.to(at::kCPU);
  return rows_of(on_cpu_, image, head);
}

ObservedStep::ObservedStep(const LayerStep& layer_step,
                           int64_t first_row,
                           int64_t images,
                           const ObservedAlong& along)
    : layer_step_(layer_step),
      first_row_(first_row),
      batch_images_(images),
      images_(images),
      heads_(layer_step.k.size(1)),
      along_(along),
      positions_(static_cast<size_t>(images * heads_)),
      viewers_(positions_.size()),
      received_(positions_.size()),
      value_norms_(positions_.size()) {}

const std::vector<StepInfo>& ObservedStep::steps() const {
  return layer_step_.cache->plan().geometry().steps;
}

int64_t ObservedStep::line_tokens() const {
  return layer_step_.cache->plan().geometry().line_tokens;
}

void ObservedStep::require(bool granted, const char* what) const {
  if (granted) return;
  throw Error(
      ErrorKind::kAudit,
      fmt::format("an attention statistic reads {} without declaring it in its needs", what));
}

void ObservedStep::look_at(int64_t image) {
  first_image_ = image;
  images_ = 1;
  if (unconditional_ != nullptr) unconditional_->look_at(image);
}

void ObservedStep::look_at_all() {
  first_image_ = 0;
  images_ = batch_images_;
  if (unconditional_ != nullptr) unconditional_->look_at_all();
}

const LayerStep& ObservedStep::layer_step() const {
  require(granted_.layer_step, "the layer's step");
  return layer_step_;
}

std::span<const int64_t> ObservedStep::positions(int64_t image, int64_t head) {
  std::vector<int64_t>& known = positions_[slot(image, head)];
  if (known.empty()) known = positions_of(layer_step_, row(image), head);
  return known;
}

int64_t ObservedStep::padding(int64_t image) const {
  return layer_step_.cache->padding(row(image));
}

int64_t ObservedStep::real_queries(int64_t image) const {
  return step().queries() - layer_step_.cache->padding_of_step(step(), row(image));
}

std::span<const int64_t> ObservedStep::viewers(int64_t image, int64_t head) {
  std::vector<int64_t>& counts = viewers_[slot(image, head)];
  if (!counts.empty()) return counts;
  const KvCache& cache = *layer_step_.cache;
  const int64_t queries = step().queries();
  const int64_t real = real_queries(image);
  const auto held = static_cast<size_t>(cache.length(layer(), row(image), head));
  counts.assign(positions(image, head).size(), 0);
  if (layer_step_.attended != nullptr) {
    const auto at = static_cast<size_t>(row(image) * heads_ + head);
    for (const int64_t index : (*layer_step_.attended)[at]) counts[index] = real;
  } else {
    std::fill_n(counts.begin(), held, real);
  }
  std::fill_n(counts.begin(), cache.padding_length(layer(), row(image), head), 0);
  const bool causal = step().kind == StepKind::kPrefill;
  for (int64_t token = queries - real; token < queries; ++token) {
    counts[held + static_cast<size_t>(token)] = causal ? queries - token : queries;
  }
  return counts;
}

ObservedStep& ObservedStep::unconditional() {
  require(granted_.unconditional && layer_step_.q.size(0) == 2 * batch_images_,
          "unconditional rows");
  if (unconditional_ == nullptr) {
    unconditional_ =
        std::make_unique<ObservedStep>(layer_step_, batch_images_, batch_images_, ObservedAlong{});
    unconditional_->grant({.column_sums = true});
    if (images_ != batch_images_ || first_image_ != 0) unconditional_->look_at(first_image_);
  }
  return *unconditional_;
}

void ObservedStep::compute_columns() {
  if (columns_.defined()) return;
  const RecordedRows rows(layer_step_, first_row_, batch_images_);
  columns_ = fill_padding(column_sum(rows.q, rows.lse, rows.history, rows.k,
                                     layer_step_.softmax_scale, rows.causal),
                          layer_step_, 1, 0.0, first_row_ * heads_, batch_images_ * heads_)
                 .div_(layer_step_.group())
                 .to(at::kCPU);
  column_offsets_ = column_offsets(rows.history.length, step().queries());
}

std::span<const float> ObservedStep::column_sums(int64_t image, int64_t head) {
  require(granted_.column_sums, "column sums");
  compute_columns();
  const size_t at = slot(image, head);
  return {columns_.const_data_ptr<float>() + column_offsets_[at],
          static_cast<size_t>(column_offsets_[at + 1] - column_offsets_[at])};
}

void ObservedStep::compute_step_sums() {
  compute_columns();
  const size_t count = steps().size();
  // Which step wrote the key at each position.
  std::vector<size_t> writer(static_cast<size_t>(keys_of_step(steps(), step().index)));
  for (size_t index = 0; index <= static_cast<size_t>(step().index); ++index) {
    const StepInfo& info = steps()[index];
    std::fill_n(writer.begin() + info.first_token, info.queries(), index);
  }
  step_sums_.assign(positions_.size() * count, 0.0);
  for (int64_t image = 0; image < images_; ++image) {
    for (int64_t head = 0; head < heads_; ++head) {
      const auto held = positions(image, head);
      const auto sums = column_sums(image, head);
      double* masses = &step_sums_[slot(image, head) * count];
      for (size_t i = 0; i < held.size(); ++i) {
        masses[writer[static_cast<size_t>(held[i])]] += static_cast<double>(sums[i]);
      }
    }
  }
}

std::span<const double> ObservedStep::step_sums(int64_t image, int64_t head) {
  require(granted_.column_sums, "column sums");
  if (step_sums_.empty()) {
    const int64_t looked_at = first_image_;
    const bool is_one = images_ != batch_images_;
    look_at_all();
    compute_step_sums();
    if (is_one) look_at(looked_at);
  }
  const size_t count = steps().size();
  return std::span<const double>(step_sums_).subspan(slot(image, head) * count, count);
}

RowTile ObservedStep::tile_of(std::span<const int64_t> queries,
                              int64_t first_image,
                              int64_t images) const {
  const int64_t first_row = first_row_ + first_image;
  const RecordedRows rows(layer_step_, first_row, images);
  const at::Tensor packed = attention_rows(rows.q, rows.lse, rows.history, rows.k,
                                           layer_step_.softmax_scale, queries, rows.causal);
  const int64_t group = layer_step_.group();
  return {fill_padding(packed, layer_step_, group * std::ssize(queries), 0.0, first_row * heads_,
                       images * heads_),
          column_offsets(rows.history.length, step().queries()),
          {queries.begin(), queries.end()},
          heads_,
          group};
}

void ObservedStep::visit_rows(int64_t wanted, const std::function<void(const RowTile&)>& visit) {
  require(granted_.attention_rows, "attention rows");
  std::vector<int64_t> queries = evenly_spaced(step().queries(), wanted);
  if (queries.size() <= kTileQueries) {
    auto known = tiles_.find(queries);
    if (known == tiles_.end()) {
      known = tiles_.emplace(queries, tile_of(queries, 0, batch_images_)).first;
    }
    known->second.begin_at(first_image_);
    visit(known->second);
    return;
  }
  for (size_t begin = 0; begin < queries.size(); begin += kTileQueries) {
    visit(tile_of(std::span(queries).subspan(begin, std::min(kTileQueries, queries.size() - begin)),
                  first_image_, images_));
  }
}

void ObservedStep::visit_queries(int64_t wanted,
                                 const std::function<void(const QueryWeights&)>& visit) {
  visit_rows(wanted, [&](const RowTile& tile) {
    for (int64_t image = 0; image < images_; ++image) {
      const int64_t padding = step().queries() - real_queries(image);
      for (int64_t head = 0; head < heads_; ++head) {
        const at::Tensor rows = tile.rows_on_cpu(image, head);
        const auto* weights = rows.const_data_ptr<float>();
        QueryWeights line{.image = image, .head = head, .positions = positions(image, head)};
        for (; line.query_head < tile.group(); ++line.query_head) {
          for (const int64_t query : tile.queries()) {
            line.query = query;
            line.weights = {weights, line.positions.size()};
            weights += line.positions.size();
            if (query >= padding) visit(line);
          }
        }
      }
    }
  });
}

std::span<const double> ObservedStep::received(int64_t image, int64_t head) {
  require(granted_.received_mass && along_.received != nullptr, "what keys received");
  std::vector<double>& means = received_[slot(image, head)];
  if (!means.empty()) return means;
  for (const int64_t position : positions(image, head)) {
    means.push_back(along_.received->mean(layer(), first_image_ + image, head, position));
  }
  return means;
}

at::Tensor ObservedStep::values(int64_t image, int64_t head) const {
  require(granted_.values, "values");
  return at::cat({layer_step_.cache->values(layer(), row(image), head).to(at::kFloat),
                  layer_step_.v[row(image)][head].to(at::kFloat)});
}

std::span<const double> ObservedStep::value_norms(int64_t image, int64_t head) {
  require(granted_.values, "values");
  std::vector<double>& norms = value_norms_[slot(image, head)];
  if (!norms.empty()) return norms;
  const at::Tensor found =
      at::linalg_vector_norm(values(image, head), 2, {1}, false, at::kDouble).to(at::kCPU);
  norms.assign(found.const_data_ptr<double>(), found.const_data_ptr<double>() + found.numel());
  return norms;
}

std::vector<float> ObservedStep::head_rows(int64_t image,
                                           int64_t head,
                                           std::span<const int64_t> queries) {
  require(granted_.head_rows, "rows of a head");
  const RecordedRows rows(layer_step_, row(image), 1);
  const auto at = static_cast<size_t>(head);
  const RaggedRows history{.keys = rows.history.keys,
                           .values = rows.history.values,
                           .begin = rows.history.begin.subspan(at, 1),
                           .length = rows.history.length.subspan(at, 1)};
  const int64_t group = layer_step_.group();
  const auto count = static_cast<int64_t>(queries.size());
  const auto of_group = [&](const at::Tensor& all) { return all.narrow(1, head * group, group); };
  const at::Tensor mean =
      attention_rows(of_group(rows.q), of_group(rows.lse), history, rows.k.narrow(1, head, 1),
                     layer_step_.softmax_scale, queries, rows.causal)
          .view({group, count, -1})
          .mean(0);
  const at::Tensor map =
      fill_padding(mean.flatten(), layer_step_, count, 0.0, row(image) * heads_ + head, 1)
          .to(at::kCPU);
  const auto* weight = map.const_data_ptr<float>();
  return {weight, weight + map.numel()};
}

std::span<const float> ObservedStep::full_column_sums(int64_t image, int64_t head) const {
  require(granted_.full_cache && along_.full != nullptr, "a full cache");
  return along_.full->column_sums(first_image_ + image, head);
}

at::Tensor ObservedStep::outputs_of(const at::Tensor& all,
                                    int64_t row,
                                    int64_t image,
                                    int64_t head) const {
  const int64_t real = real_queries(image);
  const int64_t group = layer_step_.group();
  return all[row]
      .narrow(0, head * group, group)
      .narrow(1, step().queries() - real, real)
      .to(at::kFloat);
}

at::Tensor ObservedStep::outputs(int64_t image, int64_t head) const {
  require(granted_.full_cache, "outputs");
  return outputs_of(layer_step_.out, row(image), image, head);
}

at::Tensor ObservedStep::full_outputs(int64_t image, int64_t head) const {
  require(granted_.full_cache && along_.full != nullptr, "a full cache");
  return outputs_of(along_.full->outputs(), first_image_ + image, image, head);
}

AttentionSpread ObservedStep::last_queries_spread(int64_t window) {
  require(granted_.last_queries && along_.recent != nullptr, "the last queries");
  const auto known = spreads_.find({window, first_image_, images_});
  if (known != spreads_.end()) return known->second;
  auto attention = windows_.find(window);
  if (attention == windows_.end()) {
    const at::Tensor in_window =
        positions_mask(layer_step_, along_.recent->positions(layer_step_, window)) |
        absent_mask(layer_step_);
    attention =
        windows_
            .emplace(window, WindowAttention{by_query_head(layer_step_, along_.recent->logits(
                                                                            layer_step_, window)),
                                             in_window.unsqueeze(2)})
            .first;
  }
  const auto of_images = [&](const at::Tensor& all) { return all.narrow(0, row(0), images_); };
  const AttentionSpread spread =
      attention_spread(of_images(attention->second.logits), of_images(attention->second.in_window));
  return spreads_.emplace(std::tuple(window, first_image_, images_), spread).first->second;
}

}  // namespace kvscope
