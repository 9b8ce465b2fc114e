#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/attention/attention_options.h"
#include "analysis/attention/attention_record.h"
#include "analysis/attention/measures/full_attention.h"
#include "analysis/attention/measures/received_mass.h"
#include "analysis/attention/recorded_statistic.h"
#include "core/base/image.h"
#include "core/engine/attend.h"
#include "policies/signals/recent_queries.h"

namespace kvscope {

/// Records every generation it observes; attach it to AttentionContext::observers. Works on tiles
/// of keys and a few chosen rows: no queries x keys map is made. Call add_prompts() once per batch.
class AttentionRecorder : public AttentionObserver {
 public:
  /// Throws Error(kConfig) for negative numbers, top_keys 0 or a side of a query map below 1.
  explicit AttentionRecorder(AttentionRecorderOptions options);

  /// Takes what is recorded of a model of this geometry; the first step does where nobody has.
  /// Throws Error(kConfig) where a raw head or a chosen statistic is not one of the model's, where
  /// nothing of a named statistic lies in the layers, heads and steps chosen, and where it was
  /// another model or schedule before.
  void begin_model(const CacheGeometry& geometry);
  /// Names of the images of the coming generation, in row order.
  void add_prompts(const std::vector<std::string>& prompts);
  /// How the tokens of the generation that has ended agree with those that a full cache makes, in
  /// row order. Call it before the next generation where a statistic
  /// needs full images.
  void add_agreements(std::span<const std::vector<StepAgreement>> agreements);
  /// What the generation that has ended came to, in row order; the first kFirstImages of all are
  /// kept.
  void add_images(std::span<const Image> images);
  static constexpr size_t kFirstImages = 4;

  void begin_generation(int64_t rows) override;
  /// Throws as begin_model().
  void observe(const LayerStep& layer_step) override;

  /// Time spent in observing so far; on a GPU, of what was waited for.
  [[nodiscard]] double observing_ms() const { return observing_ms_; }

  /// Bytes of all numbers that are kept between generations.
  [[nodiscard]] int64_t held_bytes() const;

  /// Images of complete generations.
  [[nodiscard]] int64_t images() const { return recorded_.images; }
  /// Keeps all that was recorded so far, whole or not at all; between generations. `identity` says
  /// what of. Throws Error(kEnvironment).
  void save(const std::filesystem::path& path, const std::string& identity);
  /// Goes on from what save() kept of a model of this geometry; before the first generation. Throws
  /// Error(kInput) where that is damaged or of another identity.
  void restore(const std::filesystem::path& path,
               const std::string& identity,
               const CacheGeometry& geometry);

  /// The averages so far. Throws Error(kConfig) before the first complete generation.
  [[nodiscard]] AttentionRecord record() const;

 private:
  void observe_step(const LayerStep& layer_step);
  void observe_layer(const LayerStep& layer_step);

  AttentionRecorderOptions options_;
  std::vector<RecordedStatistic> statistics_;  // empty before begin_model()
  std::optional<RecentQueries> recent_;        // where a statistic needs the last queries
  std::optional<ReceivedMass> received_;       // where one needs what keys received
  std::optional<FullAttention> full_;          // where one needs a full cache
  double observing_ms_ = 0;
  int64_t batch_images_ = 0;  // of the generation that runs now
  AttentionRecord recorded_;  // without arrays
};

}  // namespace kvscope
