#include "analysis/attention/attention_recorder.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"

namespace kvscope {

AttentionRecorder::AttentionRecorder(AttentionRecorderOptions options)
    : options_(std::move(options)) {
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
  recorded_.prompts.insert(recorded_.prompts.end(), prompts.begin(), prompts.end());
}

void AttentionRecorder::begin_generation(int64_t rows) {
  if (options_.guided && rows % 2 != 0) {
    throw Error(ErrorKind::kConfig,
                fmt::format("attention record: {} rows, expected pairs of a conditional and an "
                            "unconditional one under guidance",
                            rows));
  }
  batch_images_ = options_.guided ? rows / 2 : rows;
  if (recent_) recent_->begin_generation();
}

void AttentionRecorder::begin_model(const LayerStep& layer_step) {
  const CacheGeometry& geometry = layer_step.cache->plan().geometry();
  if (recorded_.layers != 0) {
    if (recorded_.layers == geometry.layers && recorded_.heads == geometry.heads &&
        recorded_.steps == geometry.steps) {
      return;
    }
    throw Error(ErrorKind::kConfig,
                "attention record: generations of different models or picture sizes cannot be "
                "averaged; record them into files of their own");
  }
  bool needs_last_queries = false;
  std::vector<Measured> measured;
  for (const RegisteredStatistic& chosen : chosen_statistics(options_, geometry.steps)) {
    Measured one{
        .name = chosen.name, .help = chosen.help, .info = {}, .statistic = chosen.make(options_)};
    one.info = one.statistic->info();
    one.statistic->begin_model(geometry);
    needs_last_queries = needs_last_queries || one.info.needs.last_queries;
    measured.push_back(std::move(one));
  }
  measured_ = std::move(measured);
  if (needs_last_queries) recent_.emplace(options_.window_queries);
  recorded_.steps = geometry.steps;
  recorded_.layers = geometry.layers;
  recorded_.heads = geometry.heads;
  recorded_.head_dim = geometry.head_dim;
}

void AttentionRecorder::observe(const LayerStep& layer_step) {
  begin_model(layer_step);
  if (recent_) recent_->observe(layer_step);
  ObservedStep step(layer_step, batch_images_, recent_ ? &*recent_ : nullptr);
  for (const Measured& one : measured_) {
    step.grant(one.info.needs);
    one.statistic->observe(step);
  }
  const bool last = layer_step.layer == recorded_.layers - 1 &&
                    layer_step.step.index == last_attending_step(recorded_.steps);
  if (last) recorded_.images += batch_images_;
}

AttentionRecord AttentionRecorder::record() const {
  if (recorded_.images == 0) {
    throw Error(ErrorKind::kConfig, "attention record: no generation was completed");
  }
  AttentionRecord record = recorded_;
  for (const Measured& one : measured_) {
    NamedArray array = one.statistic->finish(recorded_.images);
    array.unit = one.info.unit;
    array.help = one.help;
    record.arrays.emplace(one.name, std::move(array));
  }
  return record;
}

}  // namespace kvscope
