#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analysis/attention/named_array.h"
#include "analysis/attention/observed_step.h"
#include "core/engine/plan.h"
#include "core/models/token_agreement.h"

namespace kvscope {

/// Which models a statistic is defined for.
enum class StatisticModels { kAny, kNextScale, kNextToken };

/// What the numbers of several images come to.
enum class AcrossImages {
  kMean,     ///< weighted by how many samples each has
  kLargest,  ///< the largest
  kFirst     ///< those of the first image; others are not looked at
};

/// What is known of a statistic without a model.
struct StatisticInfo {
  std::vector<std::string> axes{};  ///< of what finish() returns, in order
  std::string unit{};
  AttentionNeeds needs{};
  StatisticModels models = StatisticModels::kAny;
  AcrossImages across_images = AcrossImages::kMean;
  bool by_default = false;      ///< recorded where nobody chooses
  bool needs_guidance = false;  ///< reads both rows of an image under classifier-free guidance
};

/// One thing to measure of attention, averaged over images. Adding one touches three files: its
/// source statistics/<group>/<name>.cpp, which defines make_statistic_<name>(), a line of
/// statistics.def, and what it is compared with,
/// tests/analysis/attention/oracles/<group>/<name>.cpp. Recording, files, `kvscope attention list`
/// and `show`, and the contract tests follow.
class AttentionStatistic {
 public:
  virtual ~AttentionStatistic() = default;
  [[nodiscard]] virtual StatisticInfo info() const = 0;
  /// Comes once, before the first step: the array's axes follow from `geometry`. Throws
  /// Error(kConfig) where options name what the model lacks.
  virtual void begin_model(const CacheGeometry& geometry) = 0;
  /// One layer's step of the images that `step` looks at: of one, or of a whole batch. Layers come
  /// in turn, then steps, then images.
  virtual void observe(ObservedStep& step) = 0;
  /// The image that was observed is complete; where info().needs.full_images, with how its tokens
  /// agree with those that a full cache makes.
  virtual void end_image(std::span<const StepAgreement> /*agreement*/) {}
  /// Means over the `images` >= 1 observed so far, or whatever else of them the statistic is; unit
  /// and help are filled in by who asks.
  [[nodiscard]] virtual NamedArray finish(int64_t images) const = 0;
  /// Everything that observe() changes for good, 0 from begin_model() on: a recording that is
  /// interrupted keeps these numbers and goes on with them. Those of several images are added, or
  /// their largest taken, as across_images says. Valid until the next call.
  [[nodiscard]] virtual std::vector<std::span<double>> sums() = 0;
  /// Likewise what is kept in fp32, being so many numbers: maps of AcrossImages::kFirst only.
  [[nodiscard]] virtual std::vector<std::span<float>> maps() { return {}; }
  /// How much every number of finish() is the mean of, 0 where an image has nothing; empty: one
  /// sample an image.
  [[nodiscard]] virtual std::span<const double> weights() const { return {}; }
};

}  // namespace kvscope
