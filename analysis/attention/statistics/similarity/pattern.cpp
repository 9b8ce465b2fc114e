#include <cmath>
#include <utility>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/mean_statistics.h"
#include "analysis/attention/step_groups.h"

namespace kvscope {
namespace {

/// What all queries of a scale or line pay to each key, of every head of a batch.
using Pattern = std::vector<double>;  // [images][heads][tokens of the generation]

double cosine(std::span<const double> one, std::span<const double> other) {
  double product = 0;
  double one_square = 0;
  double other_square = 0;
  for (size_t i = 0; i < one.size(); ++i) {
    product += one[i] * other[i];
    one_square += one[i] * one[i];
    other_square += other[i] * other[i];
  }
  const double norms = std::sqrt(one_square) * std::sqrt(other_square);
  return norms > 0 ? product / norms : 0;
}

/// How alike consecutive scales, or lines of a next-token image, look at what both see: the cosine
/// of their patterns over the keys that the first query of the earlier one sees. LineAR
/// (arXiv:2512.04857) evicts by the line before because lines look alike. Nothing for the first
/// scale or line.
class PatternSimilarity : public MeanOfSamples {
 public:
  [[nodiscard]] StatisticInfo info() const override {
    return {
        .axes = {"layer", "head", "step_group"}, .unit = "cosine", .needs = {.column_sums = true}};
  }

  void begin_model(const CacheGeometry& geometry) override {
    groups_ = step_groups(geometry.steps, geometry.line_tokens);
    group_of_ = group_of_steps(groups_);
    tokens_ = all_tokens(geometry.steps);
    layers_.assign(static_cast<size_t>(geometry.layers), {});
    means_ = MeanArray(
        {layer_axis(geometry.layers), head_axis(geometry.heads), step_group_axis(groups_)});
  }

  void observe(ObservedStep& step) override {
    const int64_t index = step.step().index;
    const size_t group = group_of_[static_cast<size_t>(index)];
    Layer& layer = layers_[static_cast<size_t>(step.layer())];
    if (index == groups_[group].first) {
      layer.previous = std::move(layer.current);
      layer.current.assign(static_cast<size_t>(step.images() * step.heads() * tokens_), 0);
    }
    for (int64_t image = 0; image < step.images(); ++image) {
      for (int64_t head = 0; head < step.heads(); ++head) {
        const auto positions = step.positions(image, head);
        const auto sums = step.column_sums(image, head);
        double* pattern = &layer.current[begin_of(step, image, head)];
        for (size_t i = 0; i < positions.size(); ++i) {
          pattern[positions[i]] += static_cast<double>(sums[i]);
        }
      }
    }
    if (index == groups_[group].last && group > 0) compare(step, group, layer);
  }

 private:
  struct Layer {
    Pattern previous;
    Pattern current;
  };

  [[nodiscard]] size_t begin_of(const ObservedStep& step, int64_t image, int64_t head) const {
    return static_cast<size_t>((image * step.heads() + head) * tokens_);
  }

  void compare(const ObservedStep& step, size_t group, const Layer& layer) {
    const StepInfo& earlier = step.steps()[static_cast<size_t>(groups_[group - 1].first)];
    if (earlier.kind == StepKind::kPrefill) return;
    const auto keys = static_cast<size_t>(keys_of_step(step.steps(), earlier.index));
    for (int64_t image = 0; image < step.images(); ++image) {
      for (int64_t head = 0; head < step.heads(); ++head) {
        const size_t begin = begin_of(step, image, head);
        means_.add(means_.index(step.layer(), head, group),
                   cosine(std::span(layer.previous).subspan(begin, keys),
                          std::span(layer.current).subspan(begin, keys)));
      }
    }
  }

  std::vector<StepGroup> groups_;
  std::vector<size_t> group_of_;  // [steps]
  int64_t tokens_ = 0;
  std::vector<Layer> layers_;
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_similarity_pattern(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<PatternSimilarity>();
}

}  // namespace kvscope
