#include "analysis/attention/attention_recorder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "core/image/png.h"

namespace kvscope {
namespace {

constexpr const char* kStateKind = "kvscope_attention_recording";

std::string values_name(const RecordedStatistic& statistic) {
  return statistic.name() + ".values_of_images";
}

std::string image_name(size_t image) {
  return fmt::format("image.{}", image);
}

}  // namespace

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
  if (options_.map_query_side < 1 || options_.map_key_side < 1) {
    throw Error(ErrorKind::kConfig,
                fmt::format("attention record: query side {}, key side {}: expected at least 1",
                            options_.map_query_side, options_.map_key_side));
  }
}

void AttentionRecorder::add_prompts(const std::vector<std::string>& prompts) {
  recorded_.prompts.insert(recorded_.prompts.end(), prompts.begin(), prompts.end());
}

void AttentionRecorder::add_agreements(std::span<const std::vector<StepAgreement>> agreements) {
  for (RecordedStatistic& one : statistics_) {
    if (one.info().needs.full_images) one.end_generation(std::ssize(agreements), agreements);
  }
}

void AttentionRecorder::add_images(std::span<const Image> images) {
  const auto kept = std::ssize(recorded_.first_images);
  if (kept + std::ssize(images) != recorded_.images) return;  // not among the first
  for (const Image& image : images) {
    if (recorded_.first_images.size() == kFirstImages) return;
    const std::vector<std::byte> png = encode_png(image);
    const auto* bytes = reinterpret_cast<const uint8_t*>(png.data());
    recorded_.first_images.emplace_back(bytes, bytes + png.size());
  }
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

void AttentionRecorder::begin_model(const CacheGeometry& geometry) {
  if (recorded_.layers != 0) {
    if (recorded_.layers == geometry.layers && recorded_.heads == geometry.heads &&
        recorded_.steps == geometry.steps) {
      return;
    }
    throw Error(ErrorKind::kConfig,
                "attention record: generations of different models or image sizes cannot be "
                "averaged; record them into files of their own");
  }
  check_part(options_.part, geometry);
  AttentionNeeds needs;
  std::vector<RecordedStatistic> statistics;
  for (const RegisteredStatistic& chosen : chosen_statistics(options_, geometry.steps)) {
    RecordedStatistic one(chosen, options_, geometry);
    if (one.numbers() == 0) {
      const bool is_named =
          chosen.name == "map.raw" ||
          std::ranges::find(options_.statistics, chosen.name) != options_.statistics.end();
      if (!is_named) continue;
      throw Error(
          ErrorKind::kConfig,
          fmt::format("attention record: nothing of '{}' lies in the layers, heads and steps "
                      "chosen; leave out --layers, --heads, --steps or --raw-at",
                      chosen.name));
    }
    const AttentionNeeds& reads = statistics.emplace_back(std::move(one)).info().needs;
    needs.last_queries = needs.last_queries || reads.last_queries;
    needs.received_mass = needs.received_mass || reads.received_mass;
    needs.full_cache = needs.full_cache || reads.full_cache;
  }
  if (statistics.empty()) {
    throw Error(
        ErrorKind::kConfig,
        "attention record: nothing is left to record of the layers, heads and steps chosen");
  }
  statistics_ = std::move(statistics);
  if (needs.last_queries) recent_.emplace(options_.window_queries);
  if (needs.received_mass) received_.emplace();
  if (needs.full_cache) full_.emplace();
  recorded_.steps = geometry.steps;
  recorded_.layers = geometry.layers;
  recorded_.heads = geometry.heads;
  recorded_.head_dim = geometry.head_dim;
}

void AttentionRecorder::observe(const LayerStep& layer_step) {
  const auto start = std::chrono::steady_clock::now();
  observe_step(layer_step);
  observing_ms_ += milliseconds_since(start);
}

void AttentionRecorder::observe_step(const LayerStep& layer_step) {
  begin_model(layer_step.cache->plan().geometry());
  if (options_.part.layers.contains(layer_step.layer)) observe_layer(layer_step);
  const bool last = layer_step.layer == recorded_.layers - 1 &&
                    layer_step.step.index == last_attending_step(recorded_.steps);
  if (!last) return;
  for (RecordedStatistic& one : statistics_) {
    if (!one.info().needs.full_images) one.end_generation(batch_images_);
  }
  recorded_.images += batch_images_;
  if (received_) received_.emplace();  // nothing of them is held while images are decoded
  if (full_) full_.emplace();
}

void AttentionRecorder::observe_layer(const LayerStep& layer_step) {
  if (recent_) recent_->observe(layer_step);
  if (full_) full_->observe(layer_step, batch_images_);
  ObservedStep step(layer_step, batch_images_,
                    {.recent = recent_ ? &*recent_ : nullptr,
                     .received = received_ ? &*received_ : nullptr,
                     .full = full_ ? &*full_ : nullptr});
  if (received_) {
    step.grant({.column_sums = true});
    received_->observe(step);
  }
  for (RecordedStatistic& one : statistics_) {
    if (!one.observes(layer_step.step.index)) continue;
    step.grant(one.info().needs);
    one.observe(step);
  }
}

int64_t AttentionRecorder::held_bytes() const {
  int64_t bytes = 0;
  for (const RecordedStatistic& one : statistics_) bytes += one.held_bytes();
  return bytes;
}

void AttentionRecorder::save(const std::filesystem::path& path, const std::string& identity) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (RecordedStatistic& one : statistics_) {
    for (const auto& section : one.sections()) {
      tensors.emplace_back(section.name, at::from_blob(section.numbers.data(),
                                                       {std::ssize(section.numbers)}, at::kDouble));
    }
    for (const auto& section : one.map_sections()) {
      tensors.emplace_back(section.name, at::from_blob(section.numbers.data(),
                                                       {std::ssize(section.numbers)}, at::kFloat));
    }
    if (one.numbers_of_image() == 0) continue;
    tensors.emplace_back(values_name(one),
                         at::tensor(at::ArrayRef<float>(one.values_of_images()), at::kFloat));
  }
  for (size_t image = 0; image < recorded_.first_images.size(); ++image) {
    const std::vector<uint8_t>& png = recorded_.first_images[image];
    tensors.emplace_back(image_name(image), at::tensor(at::ArrayRef<uint8_t>(png), at::kByte));
  }
  write_safetensors(
      path, tensors,
      {{"kind", kStateKind},
       {"identity", identity},
       {"images", fmt::format("{}", recorded_.images)},
       {"prompts", nlohmann::json(recorded_.prompts)
                       .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)}});
}

void AttentionRecorder::restore(const std::filesystem::path& path,
                                const std::string& identity,
                                const CacheGeometry& geometry) {
  const SafetensorsReader state(path);
  const auto damaged = [&](const std::string& how) {
    throw Error(ErrorKind::kInput, fmt::format("{}: {}", path.string(), how));
  };
  if (state.metadata("kind") != kStateKind || state.metadata("identity") != identity) {
    damaged("is of another recording");
  }
  begin_model(geometry);
  const auto prompts = nlohmann::json::parse(state.metadata("prompts"), nullptr, false);
  const std::string& images = state.metadata("images");
  if (!prompts.is_array() || images.empty() ||
      images.find_first_not_of("0123456789") != images.npos || images.size() > 9) {
    damaged("is no kept recording");
  }
  recorded_.images = std::stoll(images);
  const auto kept_of = [&](const std::string& name, at::ScalarType type, int64_t numbers) {
    const at::Tensor kept = state.tensor(name);
    if (kept.scalar_type() != type || kept.numel() != numbers) {
      damaged(fmt::format("{} has {} numbers, expected {}", name, kept.numel(), numbers));
    }
    return kept.contiguous();
  };
  for (RecordedStatistic& one : statistics_) {
    for (const auto& [name, numbers] : one.sections()) {
      const at::Tensor kept = kept_of(name, at::kDouble, std::ssize(numbers));
      std::memcpy(numbers.data(), kept.const_data_ptr(), numbers.size_bytes());
    }
    for (const auto& [name, numbers] : one.map_sections()) {
      const at::Tensor kept = kept_of(name, at::kFloat, std::ssize(numbers));
      std::memcpy(numbers.data(), kept.const_data_ptr(), numbers.size_bytes());
    }
    std::vector<float> values;
    if (const int64_t numbers = one.numbers_of_image(); numbers > 0) {
      const at::Tensor kept = kept_of(values_name(one), at::kFloat, numbers * recorded_.images);
      values.assign(kept.const_data_ptr<float>(), kept.const_data_ptr<float>() + kept.numel());
    }
    one.go_on(recorded_.images, std::move(values));
  }
  for (size_t image = 0; state.contains(image_name(image)); ++image) {
    const at::Tensor kept = state.tensor(image_name(image));
    if (kept.scalar_type() != at::kByte) damaged(image_name(image) + " is no PNG");
    const auto* bytes = kept.const_data_ptr<uint8_t>();
    recorded_.first_images.emplace_back(bytes, bytes + kept.numel());
  }
  for (const auto& prompt : prompts)
    recorded_.prompts.push_back(prompt.is_string() ? prompt.get<std::string>() : "");
}

AttentionRecord AttentionRecorder::record() const {
  if (recorded_.images == 0) {
    throw Error(ErrorKind::kConfig, "attention record: no generation was completed");
  }
  AttentionRecord record = recorded_;
  for (const RecordedStatistic& one : statistics_) one.add_to(record);
  return record;
}

}  // namespace kvscope
