#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {
namespace {

/// Numbers of first tokens that are looked at together: 4 are StreamingLLM's sinks
/// (arXiv:2309.17453).
constexpr int64_t kFirst[] = {1, 2, 4, 8, 16, 32, 64};

/// Mass on a generation's first 1, 2, 4, ... tokens, padding not counted, mean over a step's
/// queries.
class FirstTokensMass : public MeanOfSamples {
 public:
  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "step", "first_tokens"},
            .unit = "share",
            .needs = {.column_sums = true}};
  }

  void begin_model(const CacheGeometry& geometry) override {
    first_.clear();
    for (const int64_t tokens : kFirst) {
      if (tokens <= all_tokens(geometry.steps)) first_.push_back(tokens);
    }
    std::vector<ArrayAxis> axes = head_step_axes(geometry);
    axes.push_back(
        {.name = "first_tokens", .coordinates = {{.name = "first_tokens", .values = first_}}});
    means_ = MeanArray(std::move(axes));
  }

  void observe(ObservedStep& step) override {
    for (int64_t image = 0; image < step.images(); ++image) {
      const int64_t begin = step.padding(image);
      const auto queries = static_cast<double>(step.real_queries(image));
      for (int64_t head = 0; head < step.heads(); ++head) {
        const auto positions = step.positions(image, head);
        const auto sums = step.column_sums(image, head);
        for (int64_t i = 0; i < std::ssize(first_); ++i) {
          double mass = 0;
          for (size_t key = 0; key < positions.size(); ++key) {
            if (positions[key] < begin + first_[i]) mass += static_cast<double>(sums[key]);
          }
          means_.add(means_.index(step.layer(), head, step.step().index, i), mass, queries);
        }
      }
    }
  }

 private:
  std::vector<int64_t> first_;
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_first_tokens(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<FirstTokensMass>();
}

}  // namespace kvscope
