#include "analysis/attention/attention_recorder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "core/base/error.h"
#include "core/engine/padding.h"
#include "kernels/attention_rows/attention_rows.h"
#include "kernels/column_sum/column_sum.h"

namespace kvscope {
namespace {

/// The conditional rows of a layer's step, as the kernels read them.
struct RecordedRows {
  at::Tensor q;
  at::Tensor lse;
  at::Tensor k;
  RaggedRows history;
  bool causal;

  RecordedRows(const LayerStep& layer_step, int64_t first_row, int64_t rows)
      : q(layer_step.q.narrow(0, first_row, rows)),
        lse(layer_step.lse.narrow(0, first_row, rows)),
        k(layer_step.k.narrow(0, first_row, rows)),
        history(layer_step.cache.history(layer_step.layer)),
        causal(layer_step.step.kind == StepKind::kPrefill) {
    const auto heads = static_cast<size_t>(layer_step.k.size(1));
    const auto first = static_cast<size_t>(first_row) * heads;
    const auto count = static_cast<size_t>(rows) * heads;
    history.begin = history.begin.subspan(first, count);
    history.length = history.length.subspan(first, count);
  }
};

/// `wanted` of 0 .. count - 1, evenly spaced, each in the middle of its part; 0 takes all.
std::vector<int64_t> evenly_spaced(int64_t count, int64_t wanted) {
  const int64_t taken = wanted == 0 ? count : std::min(wanted, count);
  std::vector<int64_t> indices(static_cast<size_t>(taken));
  for (int64_t i = 0; i < taken; ++i) indices[i] = (2 * i + 1) * count / (2 * taken);
  return indices;
}

}  // namespace

AttentionRecorder::AttentionRecorder(AttentionRecorderOptions options)
    : options_(std::move(options)), spread_(std::max<int64_t>(1, options_.window_queries)) {
  if (options_.top_keys < 1 || options_.sampled_queries < 0 || options_.raw_queries < 0 ||
      options_.window_queries < 1) {
    throw Error(ErrorKind::kConfig,
                fmt::format("attention record: top keys {}, sampled queries {}, raw queries {}, "
                            "window queries {}: expected at least 1, 0, 0 and 1",
                            options_.top_keys, options_.sampled_queries, options_.raw_queries,
                            options_.window_queries));
  }
}

void AttentionRecorder::add_prompts(const std::vector<std::string>& prompts) {
  sums_.prompts.insert(sums_.prompts.end(), prompts.begin(), prompts.end());
}

void AttentionRecorder::begin_generation(int64_t rows) {
  if (options_.guided && rows % 2 != 0) {
    throw Error(ErrorKind::kConfig,
                fmt::format("attention record: {} rows, expected pairs of a conditional and an "
                            "unconditional one under guidance",
                            rows));
  }
  batch_images_ = options_.guided ? rows / 2 : rows;
  spread_.begin_generation();
}

void AttentionRecorder::begin_model(const LayerStep& layer_step) {
  const CacheGeometry& geometry = layer_step.cache.plan().geometry();
  if (sums_.layers != 0) {
    if (sums_.layers == geometry.layers && sums_.heads == geometry.heads &&
        sums_.steps == geometry.steps) {
      return;
    }
    throw Error(ErrorKind::kConfig,
                "attention record: generations of different models or picture sizes cannot be "
                "averaged; record them into files of their own");
  }
  for (const auto& [layer, head] : options_.raw_heads) {
    if (layer < 0 || layer >= geometry.layers || head < 0 || head >= geometry.heads) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("attention record: no layer {} head {}; the model has layers 0..{} "
                              "and heads 0..{}",
                              layer, head, geometry.layers - 1, geometry.heads - 1));
    }
  }
  sums_.steps = geometry.steps;
  sums_.layers = geometry.layers;
  sums_.heads = geometry.heads;
  sums_.top_keys = options_.top_keys;
  sums_.sampled_queries = options_.sampled_queries;
  const size_t pairs = static_cast<size_t>(geometry.layers * geometry.heads);
  const size_t count = geometry.steps.size();
  sums_.step_mass.assign(pairs * count * count, 0);
  squares_.assign(pairs * count * count, 0);
  sums_.history_top_mass.assign(pairs * count, 0);
  for (size_t step = 0; step < count; ++step) {
    const auto keys = static_cast<size_t>(sums_.keys(static_cast<int64_t>(step)));
    sums_.key_mass.emplace_back(pairs * keys, 0.0);
  }
}

void AttentionRecorder::observe(const LayerStep& layer_step) {
  begin_model(layer_step);
  add_columns(layer_step);
  add_top_mass(layer_step);
  spread_.observe(layer_step, batch_images_);
  variance_.add(layer_step, batch_images_);
  if (sums_.images == 0) add_raw(layer_step);
  const bool last = layer_step.layer == sums_.layers - 1 &&
                    layer_step.step.index == last_attending_step(sums_.steps);
  if (last) sums_.images += batch_images_;
}

void AttentionRecorder::add_columns(const LayerStep& layer_step) {
  const RecordedRows rows(layer_step, 0, batch_images_);
  const int64_t queries = layer_step.step.queries();
  const at::Tensor columns = fill_padding(column_sum(rows.q, rows.lse, rows.history, rows.k,
                                                     layer_step.softmax_scale, rows.causal),
                                          layer_step, 1, 0.0, 0, batch_images_ * sums_.heads)
                                 .div_(layer_step.group())
                                 .to(at::kCPU);
  const auto* column = columns.const_data_ptr<float>();
  const std::vector<int64_t> offsets = column_offsets(rows.history.length, queries);
  offsets_.add(layer_step, batch_images_, {column, static_cast<size_t>(columns.numel())}, offsets);
  // Which step wrote the key at each position.
  std::vector<size_t> writer(static_cast<size_t>(sums_.keys(layer_step.step.index)));
  for (size_t step = 0; step <= static_cast<size_t>(layer_step.step.index); ++step) {
    const StepInfo& info = sums_.steps[step];
    std::fill_n(writer.begin() + info.first_token, info.queries(), step);
  }
  std::vector<double> masses(sums_.steps.size());
  for (int64_t image = 0; image < batch_images_; ++image) {
    for (int64_t head = 0; head < sums_.heads; ++head) {
      const auto slot = static_cast<size_t>(image * sums_.heads + head);
      const std::vector<int64_t> positions = positions_of(layer_step, image, head);
      const size_t pair = static_cast<size_t>(layer_step.layer * sums_.heads + head);
      double* key_mass = &sums_.key_mass[layer_step.step.index][pair * writer.size()];
      std::ranges::fill(masses, 0.0);
      for (size_t i = 0; i < positions.size(); ++i) {
        const double mass = column[offsets[slot] + static_cast<int64_t>(i)];
        key_mass[positions[i]] += mass;
        masses[writer[static_cast<size_t>(positions[i])]] += mass;
      }
      const size_t base = sums_.at(layer_step.layer, head, layer_step.step.index) * masses.size();
      for (size_t step = 0; step < masses.size(); ++step) {
        const double mean = masses[step] / static_cast<double>(queries);
        sums_.step_mass[base + step] += mean;
        squares_[base + step] += mean * mean;
      }
    }
  }
}

void AttentionRecorder::add_top_mass(const LayerStep& layer_step) {
  const RecordedRows rows(layer_step, 0, batch_images_);
  const std::vector<int64_t> queries =
      evenly_spaced(layer_step.step.queries(), options_.sampled_queries);
  const std::vector<int64_t> offsets =
      column_offsets(rows.history.length, layer_step.step.queries());
  // A few queries at a time: their rows over all keys are what takes memory.
  constexpr size_t kTileQueries = 64;
  for (size_t begin = 0; begin < queries.size(); begin += kTileQueries) {
    const auto tile =
        std::span(queries).subspan(begin, std::min(kTileQueries, queries.size() - begin));
    const auto window = static_cast<int64_t>(tile.size());
    const at::Tensor packed = attention_rows(rows.q, rows.lse, rows.history, rows.k,
                                             layer_step.softmax_scale, tile, rows.causal);
    const int64_t lines = layer_step.group() * window;
    fill_padding(packed, layer_step, lines, 0.0, 0, batch_images_ * sums_.heads);
    for (int64_t slot = 0; slot < batch_images_ * sums_.heads; ++slot) {
      const int64_t length = rows.history.length[slot];
      if (length == 0) continue;
      const at::Tensor past = rows_of_slot(packed, offsets, lines, slot).narrow(1, 0, length);
      const at::Tensor largest =
          std::get<0>(past.topk(std::min(options_.top_keys, length), 1, true, false));
      sums_.history_top_mass[sums_.at(layer_step.layer, slot % sums_.heads,
                                      layer_step.step.index)] +=
          largest.sum(at::kDouble).item<double>() /
          static_cast<double>(layer_step.group() * std::ssize(queries));
    }
  }
}

void AttentionRecorder::add_raw(const LayerStep& layer_step) {
  for (const auto& [layer, head] : options_.raw_heads) {
    if (layer != layer_step.layer) continue;
    const RecordedRows rows(layer_step, 0, 1);
    RawAttention raw{.step = layer_step.step.index, .layer = layer, .head = head};
    raw.queries = evenly_spaced(layer_step.step.queries(), options_.raw_queries);
    const RaggedRows history{.keys = rows.history.keys,
                             .values = rows.history.values,
                             .begin = rows.history.begin.subspan(head, 1),
                             .length = rows.history.length.subspan(head, 1)};
    const int64_t group = layer_step.group();
    const auto queries = static_cast<int64_t>(raw.queries.size());
    const at::Tensor of_group =
        attention_rows(rows.q.narrow(1, head * group, group),
                       rows.lse.narrow(1, head * group, group), history, rows.k.narrow(1, head, 1),
                       layer_step.softmax_scale, raw.queries, rows.causal)
            .view({group, queries, -1})
            .mean(0);
    const at::Tensor map =
        fill_padding(of_group.flatten(), layer_step, queries, 0.0, head, 1).to(at::kCPU);
    const std::vector<int64_t> positions = positions_of(layer_step, 0, head);
    const auto keys = static_cast<size_t>(sums_.keys(raw.step));
    raw.rows.assign(raw.queries.size() * keys, 0);
    const auto* weight = map.const_data_ptr<float>();
    for (size_t query = 0; query < raw.queries.size(); ++query) {
      for (const int64_t position : positions) raw.rows[query * keys + position] = *weight++;
    }
    std::erase_if(sums_.raw, [&](const RawAttention& earlier) {
      return earlier.step == raw.step && earlier.layer == layer && earlier.head == head;
    });
    sums_.raw.push_back(std::move(raw));
  }
}

AttentionRecord AttentionRecorder::record() const {
  if (sums_.images == 0) {
    throw Error(ErrorKind::kConfig, "attention record: no generation was completed");
  }
  AttentionRecord record = sums_;
  const auto images = static_cast<double>(record.images);
  record.step_mass_variance.resize(record.step_mass.size());
  for (size_t i = 0; i < record.step_mass.size(); ++i) {
    record.step_mass[i] /= images;
    record.step_mass_variance[i] =
        std::max(squares_[i] / images - record.step_mass[i] * record.step_mass[i], 0.0);
  }
  for (std::vector<double>& masses : record.key_mass) {
    for (double& mass : masses) mass /= images;
  }
  for (double& mass : record.history_top_mass) mass /= images;
  record.window_queries = options_.window_queries;
  record.window_entropy = spread_.entropy();
  record.window_variance = spread_.variance();
  for (double& entropy : record.window_entropy) entropy /= images;
  for (double& variance : record.window_variance) variance /= images;
  const auto token_queries =
      static_cast<double>(std::ranges::count_if(record.steps, [&](const StepInfo& step) {
        return step.kind == StepKind::kToken && step.index <= last_attending_step(record.steps);
      }));
  record.line_tokens = offsets_.line_tokens();
  record.offset_mass = offsets_.image();
  record.condition_mass = offsets_.condition();
  record.query_variance = variance_.sums();
  for (double& mass : record.offset_mass) mass /= images * token_queries;
  for (double& mass : record.condition_mass) mass /= images * token_queries;
  for (double& variance : record.query_variance) variance /= images;
  return record;
}

}  // namespace kvscope
