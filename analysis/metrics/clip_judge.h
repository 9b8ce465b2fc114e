#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/metrics/metric.h"
#include "analysis/networks/clip.h"
#include "analysis/networks/clip_input.h"
#include "core/text/tokenizers/clip_tokenizer.h"

namespace kvscope {

/// A CLIP with its tokenizer: how well a picture fits a text.
class ClipJudge {
 public:
  ClipJudge(Clip network, ClipTokenizer tokenizer, ClipInput input, ClipText text);

  /// The cosine of the picture's and the text's features; a text beyond the context is cut, the end
  /// token last.
  [[nodiscard]] double cosine(const Image& image, std::string_view prompt) const;

 private:
  Clip network_;
  ClipTokenizer tokenizer_;
  ClipInput input_;
  ClipText text_;
};

/// Where metrics.weights.clip is, with what its settings say. Metrics of it share one.
MeasureImage clip_cosines(const MetricInputs& inputs);

/// HPSv2's network, metrics.weights.hps_v2.
MeasureImage hps_cosines(const MetricInputs& inputs);

/// What those are given.
std::vector<MetricInput> clip_inputs();
std::vector<MetricInput> hps_inputs();

/// `convention`, and what is the same for all metrics of metrics.weights.clip.
std::string clip_note(std::string_view convention);

}  // namespace kvscope
