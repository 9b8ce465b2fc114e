#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/mean_statistics.h"
#include "analysis/attention/raw_axes.h"

namespace kvscope {
namespace {

/// What each key receives, mean over all queries that see it: the importance score by which Gu et
/// al. (arXiv:2410.10781) tell sinks. A key that is dropped counts until then.
class ReceivedMassMean : public MeanOfSamples {
 public:
  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "key"}, .unit = "share", .needs = {.column_sums = true}};
  }

  void begin_model(const CacheGeometry& geometry) override {
    means_ = MeanArray(
        {layer_axis(geometry.layers), head_axis(geometry.heads), key_axis(geometry.steps)});
  }

  void observe(ObservedStep& step) override {
    for (int64_t image = 0; image < step.images(); ++image) {
      for (int64_t head = 0; head < step.heads(); ++head) {
        const auto positions = step.positions(image, head);
        const auto sums = step.column_sums(image, head);
        const auto viewers = step.viewers(image, head);
        for (size_t i = 0; i < positions.size(); ++i) {
          means_.add(means_.index(step.layer(), head, positions[i]), static_cast<double>(sums[i]),
                     static_cast<double>(viewers[i]));
        }
      }
    }
  }
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_received(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<ReceivedMassMean>();
}

}  // namespace kvscope
