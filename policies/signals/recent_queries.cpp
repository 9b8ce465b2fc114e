#include "policies/signals/recent_queries.h"

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

/// A held token that some query of a window may not see yet.
struct NewToken {
  int64_t index;
  int64_t position;
};

/// Those of a (row, head) behind `position`.
std::vector<NewToken> newer_than(const LayerStep& layer_step,
                                 int64_t row,
                                 int64_t head,
                                 int64_t position) {
  const auto& steps = layer_step.cache->plan().geometry().steps;
  const auto origins = layer_step.cache->origins(layer_step.layer, row, head);
  std::vector<NewToken> found;
  for (int64_t index = 0; index < std::ssize(origins); ++index) {
    const int64_t own = position_of(origins[static_cast<std::size_t>(index)], steps);
    if (own > position) found.push_back({.index = index, .position = own});
  }
  return found;
}

/// Sets `lines` [rows, heads, lines, tokens] to `hidden` where the query at positions[line] does
/// not see the key of [history | current step].
template <typename Value>
void hide_unseen(const LayerStep& layer_step,
                 const std::vector<int64_t>& positions,
                 Value hidden,
                 Value* lines) {
  const KvCache& cache = *layer_step.cache;
  const StepInfo& step = layer_step.step;
  const int64_t heads = layer_step.k.size(1);
  const int64_t tokens = max_tokens(layer_step);
  const bool whole_step = step.kind == StepKind::kScale;
  Value* line = lines;
  for (int64_t slot = 0; slot < cache.rows() * heads; ++slot) {
    const int64_t row = slot / heads;
    const int64_t held = cache.length(layer_step.layer, row, slot % heads);
    // Padding is stored before everything else, or is the head of the prefill with nothing before.
    const int64_t padding = cache.padding_length(layer_step.layer, row, slot % heads) +
                            cache.padding_of_step(step, row);
    const std::vector<NewToken> newer =
        whole_step ? std::vector<NewToken>()
                   : newer_than(layer_step, row, slot % heads, std::ranges::min(positions));
    for (const int64_t position : positions) {
      const bool is_padding = position < cache.padding(row);
      const int64_t current =
          whole_step ? step.queries() : std::max<int64_t>(0, position - step.first_token + 1);
      std::fill(line, line + (is_padding ? tokens : padding), hidden);
      std::fill(line + held + current, line + tokens, hidden);
      for (const NewToken& token : newer) {
        if (token.position > position) line[token.index] = hidden;
      }
      line += tokens;
    }
  }
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

std::vector<int64_t> RecentQueries::ring_slots(const LayerStep& layer_step, int64_t window) const {
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
    const int64_t slot = (ring.next + i) % window_;  // the oldest first
    if (ring.positions[static_cast<std::size_t>(slot)] >= first) found.push_back(slot);
  }
  return found;
}

std::vector<int64_t> RecentQueries::positions(const LayerStep& layer_step, int64_t window) const {
  std::vector<int64_t> result;
  for (const int64_t slot : ring_slots(layer_step, window)) {
    result.push_back(ring_of(layer_step).positions[static_cast<std::size_t>(slot)]);
  }
  return result;
}

at::Tensor RecentQueries::logits(const LayerStep& layer_step, int64_t window) const {
  const std::vector<int64_t> taken = ring_slots(layer_step, window);
  const int64_t group = ring_of(layer_step).queries.size(1) / layer_step.k.size(1);
  const int64_t lines = group * std::ssize(taken);
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t tokens = max_tokens(layer_step);
  const RaggedRows history = layer_step.cache->history(layer_step.layer);
  const at::Tensor packed = score_rows(ring_of(layer_step).queries, history, layer_step.k,
                                       layer_step.softmax_scale, taken);
  const std::vector<int64_t> offsets = column_offsets(history.length, layer_step.step.queries());
  at::Tensor result;
  if (offsets.back() == rows * heads * tokens) {  // all heads hold the same
    result = packed.view({rows, heads, lines, tokens});
  } else {
    result = at::empty({rows, heads, lines, tokens}, packed.options());
    for (int64_t slot = 0; slot < rows * heads; ++slot) {
      const at::Tensor line = rows_of_slot(packed, offsets, lines, slot);
      result[slot / heads][slot % heads].slice(1, 0, line.size(1)).copy_(line);
    }
  }
  const bool sees_everything = offsets.back() == rows * heads * tokens &&
                               !layer_step.cache->has_padding() &&
                               (layer_step.step.kind == StepKind::kScale || taken.size() == 1);
  if (sees_everything) return result;
  const std::vector<int64_t> own = positions(layer_step, window);
  std::vector<int64_t> from;
  for (int64_t g = 0; g < group; ++g) from.insert(from.end(), own.begin(), own.end());
  if (result.is_cpu() && result.scalar_type() == at::kFloat) {
    hide_unseen(layer_step, from, kUnseen, result.mutable_data_ptr<float>());
    return result;
  }
  at::Tensor unseen = at::zeros(result.sizes(), at::kBool);
  hide_unseen(layer_step, from, true, unseen.mutable_data_ptr<bool>());
  return result.masked_fill_(unseen.to(result.device()), kUnseen);
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

at::Tensor sees_nothing(const at::Tensor& logits) {
  return logits.amax(-1) == kUnseen;
}

at::Tensor softmax_or_zero(const at::Tensor& logits, const at::Tensor& nothing) {
  at::Tensor attention = at::softmax(logits, -1);
  // A pass that is mostly for nothing; on a device, to know so would take a wait.
  if (nothing.is_cpu() && !nothing.any().item<bool>()) return attention;
  return attention.masked_fill_(nothing.unsqueeze(-1), 0);
}

at::Tensor softmax_or_zero(const at::Tensor& logits) {
  return softmax_or_zero(logits, sees_nothing(logits));
}

}  // namespace kvscope
