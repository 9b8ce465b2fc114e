#include "analysis/attention/measures/largest_magnitude.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/raw_axes.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

/// [heads, tokens, channels] of one row; hidden states have no heads: 1.
at::Tensor looked_at(const LayerStep& layer_step, MagnitudeOf what, int64_t row) {
  if (what == MagnitudeOf::kKeys) return layer_step.k[row];
  if (what == MagnitudeOf::kValues) return layer_step.v[row];
  return layer_step.hidden[row].unsqueeze(0);
}

}  // namespace

StatisticInfo LargestMagnitude::info() const {
  const bool hidden = what_ == MagnitudeOf::kHidden;
  std::vector<std::string> axes = {"layer"};
  if (!hidden) axes.emplace_back("head");
  const std::string channel = hidden ? "hidden_channel" : "channel";
  axes.push_back(by_ == MagnitudeBy::kChannel ? channel : "key");
  return {.axes = std::move(axes),
          .unit = "magnitude",
          .needs = {.layer_step = true},
          .across_images = AcrossImages::kLargest};
}

void LargestMagnitude::begin_model(const CacheGeometry& geometry) {
  const bool hidden = what_ == MagnitudeOf::kHidden;
  std::vector<ArrayAxis> axes = {layer_axis(geometry.layers)};
  if (!hidden) axes.push_back(head_axis(geometry.heads));
  if (by_ == MagnitudeBy::kToken) {
    axes.push_back(key_axis(geometry.steps));
  } else if (hidden) {
    axes.push_back(ArrayAxis::counted("hidden_channel", geometry.query_heads * geometry.head_dim));
  } else {
    axes.push_back(ArrayAxis::counted("channel", geometry.head_dim));
  }
  largest_ = NamedArray::zeros(std::move(axes));
}

void LargestMagnitude::observe(ObservedStep& step) {
  const LayerStep& layer_step = step.layer_step();
  const int64_t length = largest_.axes.back().size();
  for (int64_t image = 0; image < step.images(); ++image) {
    const int64_t real = step.real_queries(image);
    const int64_t padding = step.step().queries() - real;
    const at::Tensor all =
        looked_at(layer_step, what_, step.row(image)).narrow(1, padding, real).abs();
    const bool by_channel = by_ == MagnitudeBy::kChannel;
    const at::Tensor found =
        all.amax(by_channel ? 1 : 2).to(at::kCPU, at::kDouble).contiguous();  // [heads, ...]
    const int64_t first = by_channel ? 0 : step.step().first_token + padding;
    if (first + found.size(1) > length || (by_channel && found.size(1) != length)) {
      throw Error(ErrorKind::kAudit,
                  fmt::format("hidden states of {} channels; expected {}", found.size(1), length));
    }
    const auto* magnitude = found.const_data_ptr<double>();
    for (int64_t head = 0; head < found.size(0); ++head) {
      double* line =
          &largest_
               .values[static_cast<size_t>((step.layer() * found.size(0) + head) * length + first)];
      for (int64_t i = 0; i < found.size(1); ++i, ++line) *line = std::max(*line, *magnitude++);
    }
  }
}

NamedArray LargestMagnitude::finish(int64_t /*images*/) const {
  return largest_;
}

}  // namespace kvscope
