#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analysis/attention/attention_record.h"
#include "analysis/attention/head_offsets.h"
#include "analysis/attention/query_variance.h"
#include "analysis/attention/window_spread.h"
#include "core/engine/attend.h"

namespace kvscope {

struct AttentionRecorderOptions {
  /// Rows are doubled by classifier-free guidance: only the first, conditional half is recorded.
  bool guided = true;
  /// K' of the Attention Selectivity Index. The paper gives no number; 16 is the size of the
  /// method's observation window.
  int64_t top_keys = 16;
  /// Queries a step, evenly spaced, that the sum of the top K' is averaged over; 0 takes all.
  int64_t sampled_queries = 64;
  /// Last queries that entropy and variance of the attention are taken over; CAKE's window.
  int64_t window_queries = 32;
  /// (layer, head) pairs whose maps are kept, of the first image.
  std::vector<std::pair<int64_t, int64_t>> raw_heads{};
  /// Rows of a raw map at most, evenly spaced; 0 keeps all.
  int64_t raw_queries = 256;
};

/// Records every generation it observes; attach it to AttentionContext::observers. Works on tiles
/// of keys and a few chosen rows: no queries x keys map is made. Call add_prompts() once a batch.
class AttentionRecorder : public AttentionObserver {
 public:
  /// Throws Error(kConfig) for negative numbers or top_keys 0.
  explicit AttentionRecorder(AttentionRecorderOptions options);

  /// Names of the images of the coming generation, in row order.
  void add_prompts(const std::vector<std::string>& prompts);

  void begin_generation(int64_t rows) override;
  /// Throws Error(kConfig) where a raw head is not one of the model's, or generations of different
  /// models or schedules are mixed.
  void observe(const LayerStep& layer_step) override;

  /// The averages so far. Throws Error(kConfig) before the first complete generation.
  [[nodiscard]] AttentionRecord record() const;

 private:
  void begin_model(const LayerStep& layer_step);
  void add_columns(const LayerStep& layer_step);
  void add_top_mass(const LayerStep& layer_step);
  void add_raw(const LayerStep& layer_step);

  AttentionRecorderOptions options_;
  WindowSpread spread_;
  HeadOffsets offsets_;
  QueryVariance variance_;
  int64_t batch_images_ = 0;     // of the generation that runs now
  AttentionRecord sums_;         // sums over images where the record has means
  std::vector<double> squares_;  // [L][H][S][S]
};

}  // namespace kvscope
