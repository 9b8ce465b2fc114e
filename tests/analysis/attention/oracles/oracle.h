#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "tests/analysis/attention/attention_run.h"

namespace kvscope {

/// [step that attends][layer]
using NaiveGeneration = std::vector<std::vector<NaiveStep>>;

/// Where in a statistic's array a number stands: the coordinates of its axes.
class Where {
 public:
  Where(std::map<std::string, int64_t> coordinates) : coordinates_(std::move(coordinates)) {}
  [[nodiscard]] int64_t operator()(const std::string& name) const { return coordinates_.at(name); }

 private:
  std::map<std::string, int64_t> coordinates_;
};

/// What one query of one query head pays, and to what.
struct NaiveLine {
  const NaiveStep& step;
  int64_t row;
  int64_t head;
  int64_t query_head;
  int64_t query;
  const double* weights;  ///< [keys]
  int64_t keys;
};

/// Whole generations as a naive observer saw them.
struct NaiveRecording {
  CacheGeometry geometry;
  AttentionRecorderOptions options;
  double scale = 1;    ///< of the softmax
  int64_t images = 0;  ///< of a generation: its first rows; under guidance the others follow
  std::vector<int64_t> padding{};  ///< [rows]; empty: none
  std::vector<NaiveGeneration> generations{};
  /// [generations][images] how tokens agree with those of a full cache's image.
  std::vector<std::vector<std::vector<StepAgreement>>> agreements{};
  /// Generation and row of the only image that counts; none: all do.
  std::optional<std::pair<size_t, int64_t>> only{};

  [[nodiscard]] const std::vector<StepInfo>& steps() const { return geometry.steps; }
  [[nodiscard]] int64_t padding_of(int64_t row) const {
    return padding.empty() ? 0 : padding[static_cast<size_t>(row)];
  }
  [[nodiscard]] bool attends(int64_t step) const {
    return step <= last_attending_step(geometry.steps);
  }
  [[nodiscard]] double image_count() const {
    return only ? 1 : static_cast<double>(images) * static_cast<double>(generations.size());
  }

  /// Calls `visit(generation, row)` for every image.
  template <class Visit>
  void each_image(const Visit& visit) const {
    for (size_t index = 0; index < generations.size(); ++index) {
      for (int64_t row = 0; row < images; ++row) {
        if (!only || *only == std::pair(index, row)) visit(generations[index], row);
      }
    }
  }
  /// Calls `visit(agreement of every step)` for every image.
  template <class Visit>
  void each_agreement(const Visit& visit) const {
    for (size_t index = 0; index < agreements.size(); ++index) {
      for (int64_t row = 0; row < images; ++row) {
        if (!only || *only == std::pair(index, row)) {
          visit(agreements[index][static_cast<size_t>(row)]);
        }
      }
    }
  }
  /// Calls `visit(line)` for every query of a row's layer, step and head that is no padding, of all
  /// query heads or, with `wanted` > 0, for so many evenly spaced ones of each.
  template <class Visit>
  void each_line(const NaiveGeneration& generation,
                 int64_t row,
                 int64_t layer,
                 int64_t head,
                 int64_t step,
                 const Visit& visit,
                 int64_t wanted = 0) const {
    if (!attends(step)) return;
    const NaiveStep& seen = generation[static_cast<size_t>(step)][static_cast<size_t>(layer)];
    const StepInfo& info = geometry.steps[static_cast<size_t>(step)];
    const int64_t keys = seen.weights.size(4);
    const at::Tensor of_head = seen.weights[row][head].contiguous();
    for (int64_t g = 0; g < of_head.size(0); ++g) {
      for (const int64_t query : evenly_spaced(info.queries(), wanted)) {
        if (info.first_token + query < padding_of(row)) continue;
        visit(NaiveLine{seen, row, head, g, query,
                        of_head.const_data_ptr<double>() + (g * of_head.size(1) + query) * keys,
                        keys});
      }
    }
  }
  /// The same of all images.
  template <class Visit>
  void each_line(
      int64_t layer, int64_t head, int64_t step, const Visit& visit, int64_t wanted = 0) const {
    each_image([&](const NaiveGeneration& generation, int64_t row) {
      each_line(generation, row, layer, head, step, visit, wanted);
    });
  }
};

/// A mean that is 0 of nothing.
struct Mean {
  double sum = 0;
  double weight = 0;
  void add(double value, double of = 1) {
    sum += value;
    weight += of;
  }
  [[nodiscard]] double value() const { return weight > 0 ? sum / weight : 0; }
};

/// Queries of a step, padding among them.
inline double queries_of(const NaiveRecording& seen, int64_t step) {
  return static_cast<double>(seen.steps()[static_cast<size_t>(step)].queries());
}

/// Query heads that read a head.
inline double group_of(const NaiveRecording& seen) {
  return static_cast<double>(seen.geometry.query_heads) / static_cast<double>(seen.geometry.heads);
}

/// Sum of a line's weights on the tokens of a step.
inline double mass_on_step(const NaiveRecording& seen, const NaiveLine& line, int64_t on) {
  const StepInfo& info = seen.steps()[static_cast<size_t>(on)];
  double mass = 0;
  for (int64_t key = info.first_token; key < info.first_token + info.queries(); ++key) {
    if (key < line.keys) mass += line.weights[key];
  }
  return mass;
}

// A statistic of statistics.def without its oracle does not link: each is defined in
// oracles/<group>/<name>.cpp, and is what the array holds at a place.
#define KVSCOPE_STATISTIC(group, name, help) \
  double oracle_##group##_##name(const NaiveRecording& seen, const Where& where);
#include "analysis/attention/statistics.def"
#undef KVSCOPE_STATISTIC

}  // namespace kvscope
