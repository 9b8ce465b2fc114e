#include "policies/score/recent_queries.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/error.h"
#include "kernels/attention_rows/attention_rows.h"
#include "policies/slots.h"

namespace kvscope {
namespace {

constexpr float kUnseen = -std::numeric_limits<float>::infinity();

/// Sets `unseen` [tokens], all true, to false for the columns of [history | current step] of a
/// (row, head) that a query at `position` sees.
void mark_seen(
    const LayerStep& layer_step, int64_t row, int64_t head, int64_t position, bool* unseen) {
  const KvCache& cache = layer_step.cache;
  const StepInfo& step = layer_step.step;
  if (position < cache.padding(row)) return;
  const int64_t held = cache.length(layer_step.layer, row, head);
  // Padding is stored before everything else, or is the head of the prefill with nothing before it.
  const int64_t first =
      cache.padding_length(layer_step.layer, row, head) + cache.padding_of_step(step, row);
  const bool whole_step = step.kind == StepKind::kScale;
  if (whole_step || position >= step.first_token) {
    const int64_t current = whole_step ? step.queries() : position - step.first_token + 1;
    std::fill(unseen + first, unseen + held + current, false);
    return;
  }
  const auto origins = cache.origins(layer_step.layer, row, head);
  const auto& steps = cache.plan().geometry().steps;
  for (int64_t token = first; token < held; ++token) {
    const TokenOrigin& origin = origins[static_cast<std::size_t>(token)];
    unseen[token] =
        steps[static_cast<std::size_t>(origin.step)].first_token + origin.token > position;
  }
}

/// [rows, heads, queries, tokens] bool: true where the query at positions[i] does not see the key.
at::Tensor unseen_mask(const LayerStep& layer_step, const std::vector<int64_t>& positions) {
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const auto queries = static_cast<int64_t>(positions.size());
  const int64_t tokens = most_tokens(layer_step);
  at::Tensor mask = at::ones({rows, heads, queries, tokens}, at::kBool);
  bool* line = mask.mutable_data_ptr<bool>();
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t head = 0; head < heads; ++head) {
      for (const int64_t position : positions) {
        mark_seen(layer_step, row, head, position, line);
        line += tokens;
      }
    }
  }
  return mask.to(layer_step.k.device());
}

}  // namespace

RecentQueries::RecentQueries(int64_t window) : window_(window) {
  if (window < 1) {
    throw Error(ErrorKind::kAudit,
                fmt::format("a window of {} recent queries; expected at least 1", window));
  }
}

void RecentQueries::begin_generation() {
  for (Ring& ring : rings_) {
    std::ranges::fill(ring.positions, -1);
    ring.next = 0;
  }
}

void RecentQueries::observe(const LayerStep& layer_step) {
  const auto layer = static_cast<std::size_t>(layer_step.layer);
  if (rings_.size() <= layer) rings_.resize(layer + 1);
  Ring& ring = rings_[layer];
  const at::Tensor& q = layer_step.q;
  const std::vector<int64_t> shape = {q.size(0), q.size(1), window_, q.size(3)};
  if (!ring.queries.defined() || ring.queries.sizes() != at::IntArrayRef(shape) ||
      ring.queries.scalar_type() != q.scalar_type() || ring.queries.device() != q.device()) {
    ring = {.queries = at::empty(shape, q.options()),
            .positions = std::vector<int64_t>(static_cast<std::size_t>(window_), -1)};
  }
  const int64_t queries = q.size(2);
  for (int64_t from = std::max<int64_t>(0, queries - window_); from < queries;) {
    const int64_t count = std::min(queries - from, window_ - ring.next);
    ring.queries.narrow(2, ring.next, count).copy_(q.narrow(2, from, count));
    for (int64_t i = 0; i < count; ++i) {
      ring.positions[static_cast<std::size_t>(ring.next + i)] =
          layer_step.step.first_token + from + i;
    }
    from += count;
    ring.next = (ring.next + count) % window_;
  }
}

const RecentQueries::Ring& RecentQueries::ring_of(const LayerStep& layer_step) const {
  const auto layer = static_cast<std::size_t>(layer_step.layer);
  const int64_t last = layer_step.step.first_token + layer_step.step.queries() - 1;
  if (layer >= rings_.size() || rings_[layer].positions.empty() ||
      *std::ranges::max_element(rings_[layer].positions) != last) {
    throw Error(ErrorKind::kAudit,
                fmt::format("the queries of step {}, layer {} were not observed before a score "
                            "looked from them",
                            layer_step.step.index, layer_step.layer));
  }
  return rings_[layer];
}

std::vector<int64_t> RecentQueries::places(const LayerStep& layer_step, int64_t window) const {
  if (window < 1 || window > window_) {
    throw Error(
        ErrorKind::kAudit,
        fmt::format("a score looks from {} queries; {} are remembered a layer", window, window_));
  }
  const Ring& ring = ring_of(layer_step);
  const StepInfo& step = layer_step.step;
  const int64_t end = step.first_token + step.queries();
  const int64_t earliest = step.kind == StepKind::kScale ? step.first_token : 0;
  const int64_t first = std::max(earliest, end - window);
  std::vector<int64_t> found;
  for (int64_t i = 0; i < window_; ++i) {
    const int64_t place = (ring.next + i) % window_;  // the oldest first
    if (ring.positions[static_cast<std::size_t>(place)] >= first) found.push_back(place);
  }
  return found;
}

std::vector<int64_t> RecentQueries::positions(const LayerStep& layer_step, int64_t window) const {
  std::vector<int64_t> result;
  for (const int64_t place : places(layer_step, window)) {
    result.push_back(ring_of(layer_step).positions[static_cast<std::size_t>(place)]);
  }
  return result;
}

at::Tensor RecentQueries::logits(const LayerStep& layer_step, int64_t window) const {
  const std::vector<int64_t> taken = places(layer_step, window);
  const auto queries = static_cast<int64_t>(taken.size());
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t tokens = most_tokens(layer_step);
  const RaggedRows history = layer_step.cache.history(layer_step.layer);
  const at::Tensor packed = score_rows(ring_of(layer_step).queries, history, layer_step.k,
                                       layer_step.softmax_scale, taken);
  const std::vector<int64_t> offsets = column_offsets(history.length, layer_step.step.queries());
  at::Tensor result;
  if (offsets.back() == rows * heads * tokens) {  // all heads hold the same
    result = packed.view({rows, heads, queries, tokens});
  } else {
    result = at::empty({rows, heads, queries, tokens}, packed.options());
    for (int64_t slot = 0; slot < rows * heads; ++slot) {
      const at::Tensor line = rows_of_slot(packed, offsets, queries, slot);
      result[slot / heads][slot % heads].slice(1, 0, line.size(1)).copy_(line);
    }
  }
  const bool sees_everything = offsets.back() == rows * heads * tokens &&
                               !layer_step.cache.has_padding() &&
                               (layer_step.step.kind == StepKind::kScale || queries == 1);
  if (sees_everything) return result;
  return result.masked_fill_(unseen_mask(layer_step, positions(layer_step, window)), kUnseen);
}

at::Tensor RecentQueries::attention(const LayerStep& layer_step, int64_t window) const {
  return softmax_or_zero(logits(layer_step, window));
}

int64_t RecentQueries::state_bytes() const {
  int64_t bytes = 0;
  for (const Ring& ring : rings_) {
    if (ring.queries.defined()) bytes += static_cast<int64_t>(ring.queries.nbytes());
  }
  return bytes;
}

at::Tensor softmax_or_zero(const at::Tensor& logits) {
  const at::Tensor nothing = logits.amax(-1, true) == kUnseen;
  return at::softmax(logits, -1).masked_fill_(nothing, 0);
}

}  // namespace kvscope
