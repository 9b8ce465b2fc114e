#include "policies/signals/attention_sums.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/engine/padding.h"
#include "kernels/column_sum/column_sum.h"
#include "policies/signals/packed_rows.h"
#include "policies/slots.h"

namespace kvscope {
namespace {

/// Adds the history's sums to the head of each slot's columns.
void add_history(const at::Tensor& columns, const at::Tensor& held, const RaggedRows& history) {
  const auto slots = static_cast<int64_t>(history.length.size());
  const int64_t length = history.length.front();
  if (std::ranges::all_of(history.length, [&](int64_t other) { return other == length; })) {
    columns.view({slots, -1}).narrow(1, 0, length).add_(held.view({slots, length}));
    return;
  }
  const int64_t queries = (columns.numel() - held.numel()) / slots;
  int64_t from = 0;
  for (int64_t slot = 0; slot < slots; ++slot) {
    const int64_t tokens = history.length[static_cast<size_t>(slot)];
    columns.narrow(0, from + slot * queries, tokens).add_(held.narrow(0, from, tokens));
    from += tokens;
  }
}

}  // namespace

void AttentionSums::begin_generation() {
  layers_.clear();
}

void AttentionSums::observe(const LayerStep& layer_step) {
  const auto layer = static_cast<size_t>(layer_step.layer);
  if (layers_.size() <= layer) layers_.resize(layer + 1);
  LayerSums& sums = layers_[layer];
  const RaggedRows history = layer_step.cache->history(layer_step.layer);
  const at::Tensor columns =
      fill_padding(column_sum(layer_step.q, layer_step.lse, history, layer_step.k,
                              layer_step.softmax_scale, layer_step.step.kind == StepKind::kPrefill),
                   layer_step, 1, 0.0);
  int64_t held = 0;
  for (const int64_t length : history.length) held += length;
  const int64_t remembered = sums.packed.defined() ? sums.packed.numel() : 0;
  if (sums.observed_step >= 0 || remembered != held) {
    throw Error(ErrorKind::kAudit,
                fmt::format("step {}, layer {}: {} tokens are held but {} have a sum of attention; "
                            "every step must be observed and settled once",
                            layer_step.step.index, layer_step.layer, held, remembered));
  }
  if (held > 0) add_history(columns, sums.packed, history);
  sums = {.packed = columns, .observed_step = layer_step.step.index};
}

void AttentionSums::settle(const LayerStep& layer_step, const KeptIndices* kept) {
  LayerSums& sums = layers_.at(static_cast<size_t>(layer_step.layer));
  sums.observed_step = -1;
  if (kept == nullptr) return;
  const RaggedRows history = layer_step.cache->history(layer_step.layer);
  size_t tokens = 0;
  for (const auto& line : *kept) tokens += line.size();
  at::Tensor index = at::empty({static_cast<int64_t>(tokens)}, at::kLong);
  auto* next = index.mutable_data_ptr<int64_t>();
  int64_t from = 0;
  for (size_t slot = 0; slot < kept->size(); ++slot) {
    for (const int64_t token : (*kept)[slot]) *next++ = from + token;
    from += history.length[slot] + layer_step.step.queries();
  }
  sums.packed = sums.packed.index_select(0, index.to(sums.packed.device()));
}

at::Tensor AttentionSums::sums(const LayerStep& layer_step) const {
  const auto layer = static_cast<size_t>(layer_step.layer);
  if (layer >= layers_.size() || layers_[layer].observed_step != layer_step.step.index) {
    throw Error(ErrorKind::kAudit,
                fmt::format("step {}, layer {}: its attention was not observed before a score "
                            "asked for the sums",
                            layer_step.step.index, layer_step.layer));
  }
  return sum_over_lines(layer_step, layers_[layer].packed, 1, 0.0);
}

const at::Tensor& AttentionSums::held(int64_t layer) const {
  return layers_.at(static_cast<size_t>(layer)).packed;
}

int64_t AttentionSums::state_bytes() const {
  int64_t bytes = 0;
  for (const LayerSums& sums : layers_) {
    if (sums.packed.defined()) bytes += static_cast<int64_t>(sums.packed.nbytes());
  }
  return bytes;
}

at::Tensor queries_that_saw(const LayerStep& layer_step) {
  const KvCache& cache = *layer_step.cache;
  const StepInfo& step = layer_step.step;
  const int64_t end = step.first_token + step.queries();
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t most = max_tokens(layer_step);
  at::Tensor counts = at::ones({rows, heads, most}, at::kFloat);
  auto* line = counts.mutable_data_ptr<float>();
  for (int64_t slot = 0; slot < rows * heads; ++slot, line += most) {
    const auto history = cache.origins(layer_step.layer, slot / heads, slot % heads);
    const TokenView view{
        .geometry = cache.plan().geometry(), .step = step, .history = history, .window = {}};
    for (int64_t token = 0; token < view.available(); ++token) {
      const StepInfo& writer = view.writer(token);
      const int64_t first =
          writer.kind == StepKind::kPrefill ? view.padded_position(token) : writer.first_token;
      line[token] = static_cast<float>((end - first) * layer_step.group());
    }
  }
  return counts.to(layer_step.k.device());
}

}  // namespace kvscope
