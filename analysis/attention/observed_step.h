#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "core/engine/attend.h"
#include "policies/signals/cake_scores.h"
#include "policies/signals/recent_queries.h"

namespace kvscope {

/// What a statistic reads of a layer's step. Whatever several of them ask for is computed once.
struct AttentionNeeds {
  bool column_sums = false;     ///< what every key received from all queries of the step
  bool unconditional = false;   ///< the same of the unconditional rows, under guidance
  bool received_mass = false;   ///< what every key received on average so far
  bool attention_rows = false;  ///< what a few queries, evenly spaced, paid to every key
  bool head_rows = false;       ///< likewise of single heads of single images
  bool last_queries = false;    ///< spread of what a generation's last queries pay
  bool values = false;          ///< values of the tokens held
  bool full_cache = false;      ///< attention with a full cache of the same tokens
  bool full_images = false;     ///< no attention: the images that a full cache makes
  bool layer_step = false;  ///< queries, keys, values, log-sum-exps and hidden states themselves
};

/// The attention of some queries of a step, for every image and head.
class RowTile {
 public:
  /// `queries` of the step; `group` query heads read each head.
  RowTile(at::Tensor packed,
          std::vector<int64_t> offsets,
          std::vector<int64_t> queries,
          int64_t heads,
          int64_t group);
  [[nodiscard]] const std::vector<int64_t>& queries() const { return queries_; }
  [[nodiscard]] int64_t group() const { return group_; }
  /// From here on rows are those of the images from `first` on.
  void begin_at(int64_t first) { first_image_ = first; }
  /// [group * queries, tokens of the head] fp32 on the step's device, the queries of one query head
  /// after those of the other; padding and dropped tokens are 0.
  [[nodiscard]] at::Tensor rows(int64_t image, int64_t head) const;
  /// The same on the CPU, where they are copied once.
  [[nodiscard]] at::Tensor rows_on_cpu(int64_t image, int64_t head) const;

 private:
  [[nodiscard]] at::Tensor rows_of(const at::Tensor& packed, int64_t image, int64_t head) const;

  at::Tensor packed_;
  mutable at::Tensor on_cpu_;  // undefined until asked for
  std::vector<int64_t> offsets_;
  std::vector<int64_t> queries_;
  int64_t heads_;
  int64_t group_;
  int64_t first_image_ = 0;
};

/// What one query of one query head pays to every token of positions(), on the CPU.
struct QueryWeights {
  int64_t image = 0;
  int64_t head = 0;
  int64_t query_head = 0;  ///< 0 .. group - 1, of those that read the head
  int64_t query = 0;       ///< of the step
  std::span<const int64_t> positions{};
  std::span<const float> weights{};  ///< padding and tokens that are not seen have 0
};

class FullAttention;
class ReceivedMass;

/// What observes a generation beside statistics and for them; null where none needs it. Each has
/// observed the step.
struct ObservedAlong {
  const RecentQueries* recent = nullptr;
  const ReceivedMass* received = nullptr;
  const FullAttention* full = nullptr;
};

/// One layer's step of the conditional rows of a batch, as statistics look at it. Outputs of
/// kernels are made when the first statistic asks and kept for the others; what none asks for is
/// not made, and no queries x keys map ever is. Heads are those of keys; what several query heads
/// pay to one is their mean. Images are numbered from 0: all of the batch, or the one looked at.
class ObservedStep {
 public:
  /// `images` conditional rows come first.
  ObservedStep(const LayerStep& layer_step, int64_t images, const ObservedAlong& along = {})
      : ObservedStep(layer_step, 0, images, along) {}
  /// `images` rows from `first_row` on.
  ObservedStep(const LayerStep& layer_step,
               int64_t first_row,
               int64_t images,
               const ObservedAlong& along);

  /// Whoever asks next may have these: anything else is Error(kAudit), so that what
  /// AttentionStatistic::info() declares is what is read.
  void grant(const AttentionNeeds& needs) { granted_ = needs; }

  /// From here on image 0 is this one of the batch, and the only one.
  void look_at(int64_t image);
  void look_at_all();

  [[nodiscard]] const StepInfo& step() const { return layer_step_.step; }
  [[nodiscard]] int64_t layer() const { return layer_step_.layer; }
  [[nodiscard]] int64_t images() const { return images_; }
  /// Rows of an image in layer_step(); the other one is there under guidance only.
  [[nodiscard]] int64_t row(int64_t image) const { return first_row_ + first_image_ + image; }
  [[nodiscard]] int64_t unconditional_row(int64_t image) const {
    return row(image) + batch_images_;
  }
  [[nodiscard]] int64_t layers() const { return layer_step_.cache->plan().geometry().layers; }
  [[nodiscard]] int64_t heads() const { return heads_; }
  [[nodiscard]] const std::vector<StepInfo>& steps() const;
  [[nodiscard]] int64_t line_tokens() const;
  /// Tokens of [history | current step] that the head holds or sees: positions in the generation.
  [[nodiscard]] std::span<const int64_t> positions(int64_t image, int64_t head);

  /// Positions of an image's padding; the generation begins behind it.
  [[nodiscard]] int64_t padding(int64_t image) const;
  /// The step's queries that are no padding; they come last.
  [[nodiscard]] int64_t real_queries(int64_t image) const;
  /// How many of the step's queries see each of positions(): none sees padding, or what the step
  /// does not attend to.
  [[nodiscard]] std::span<const int64_t> viewers(int64_t image, int64_t head);

  /// Needs unconditional: the unconditional rows, of which column_sums() and step_sums() may be
  /// read.
  [[nodiscard]] ObservedStep& unconditional();
  /// Needs column_sums: sum over the step's queries of the weight on each of positions().
  [[nodiscard]] std::span<const float> column_sums(int64_t image, int64_t head);
  /// Needs column_sums: calls `visit(head, position, weight)` for each of them, of every image.
  template <typename Visit>
  void visit_columns(const Visit& visit) {
    for (int64_t image = 0; image < images_; ++image) {
      for (int64_t head = 0; head < heads_; ++head) {
        const auto seen = positions(image, head);
        const auto weights = column_sums(image, head);
        for (size_t i = 0; i < seen.size(); ++i) {
          visit(head, seen[i], static_cast<double>(weights[i]));
        }
      }
    }
  }
  /// Needs column_sums: the same summed over the tokens of every step, [steps].
  [[nodiscard]] std::span<const double> step_sums(int64_t image, int64_t head);
  /// Needs attention_rows: calls `visit` with all rows of `wanted` evenly spaced queries (0: all),
  /// at most 64 of them at a time; their rows over all keys are what takes memory.
  void visit_rows(int64_t wanted, const std::function<void(const RowTile&)>& visit);
  /// Needs attention_rows: calls `visit` with each query of visit_rows() that is no padding, query
  /// head by query head of each tile.
  void visit_queries(int64_t wanted, const std::function<void(const QueryWeights&)>& visit);
  /// Needs received_mass: what each of positions() received so far, this step included, mean over
  /// the queries that saw it; 0 where none did.
  [[nodiscard]] std::span<const double> received(int64_t image, int64_t head);
  /// Needs values: those of positions(), [tokens, head_dim] fp32 on the step's device.
  [[nodiscard]] at::Tensor values(int64_t image, int64_t head) const;
  /// Needs values: their L2 norms.
  [[nodiscard]] std::span<const double> value_norms(int64_t image, int64_t head);
  /// Needs head_rows: rows [queries][positions()] of one head.
  [[nodiscard]] std::vector<float> head_rows(int64_t image,
                                             int64_t head,
                                             std::span<const int64_t> queries);
  /// Needs last_queries: entropy and variance of what the last `window` queries pay to everything
  /// before them, summed over images and heads (cake_scores.h). Only at the last step that attends.
  [[nodiscard]] AttentionSpread last_queries_spread(int64_t window);
  /// Needs full_cache: what every position of the generation so far would receive from all queries
  /// of the step with a full cache.
  [[nodiscard]] std::span<const float> full_column_sums(int64_t image, int64_t head) const;
  /// Needs full_cache: outputs of the queries of a head that are no padding, [group, queries,
  /// head_dim] fp32, as they were and with a full cache.
  [[nodiscard]] at::Tensor outputs(int64_t image, int64_t head) const;
  [[nodiscard]] at::Tensor full_outputs(int64_t image, int64_t head) const;
  /// Needs layer_step. Its rows are those of both branches under guidance.
  [[nodiscard]] const LayerStep& layer_step() const;

 private:
  void require(bool granted, const char* what) const;
  [[nodiscard]] size_t slot(int64_t image, int64_t head) const {
    return static_cast<size_t>((first_image_ + image) * heads_ + head);
  }
  void compute_columns();
  void compute_step_sums();
  [[nodiscard]] at::Tensor outputs_of(const at::Tensor& all,
                                      int64_t row,
                                      int64_t image,
                                      int64_t head) const;
  /// Of so many images of the batch.
  [[nodiscard]] RowTile tile_of(std::span<const int64_t> queries,
                                int64_t first_image,
                                int64_t images) const;

  const LayerStep& layer_step_;
  int64_t first_row_;
  int64_t batch_images_;
  int64_t first_image_ = 0;  // the one looked at, or 0 ...
  int64_t images_;           // ... and 1, or all
  int64_t heads_;
  ObservedAlong along_;
  AttentionNeeds granted_{};
  std::unique_ptr<ObservedStep> unconditional_;  // null until asked for
  // [images of the batch * heads], each empty until asked for
  std::vector<std::vector<int64_t>> positions_;
  std::vector<std::vector<int64_t>> viewers_;
  std::vector<std::vector<double>> received_;
  std::vector<std::vector<double>> value_norms_;
  at::Tensor columns_;  // on the CPU; undefined until asked for
  std::vector<int64_t> column_offsets_;
  std::vector<double> step_sums_;                  // [images of the batch * heads][steps]
  std::map<std::vector<int64_t>, RowTile> tiles_;  // by queries: those of one tile
  struct WindowAttention {
    at::Tensor logits;     // of every query head
    at::Tensor in_window;  // [rows, heads, 1, tokens]
  };
  std::map<int64_t, WindowAttention> windows_;
  std::map<std::tuple<int64_t, int64_t, int64_t>, AttentionSpread> spreads_;  // window, images
};

}  // namespace kvscope
