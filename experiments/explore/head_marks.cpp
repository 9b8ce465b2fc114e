#include "experiments/explore/head_marks.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/head_sparsity.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

HeadMark spatial_heads(const AttentionRecord& record) {
  const Neighbourhood near;
  HeadMark mark{.name = "sparsity",
                .marked = "spatial",
                .help = fmt::format("share of attention outside the last {} tokens (SSD); spatial "
                                    "below {:g}, semantic from there on",
                                    near.recent_tokens, kSpatialSparsity),
                .values = head_sparsity(record, near)};
  for (const double value : mark.values) mark.is_marked.push_back(value < kSpatialSparsity ? 1 : 0);
  return mark;
}

HeadMark contextual_heads_of(const AttentionRecord& record) {
  const std::vector<double>& values = head_variance(record);
  return {.name = "variance",
          .marked = "contextual",
          .help = fmt::format("variance over the last scale's queries of what a key receives "
                              "(HACK); contextual: the lowest {:g} %",
                              100 * kContextualShare),
          .values = values,
          .is_marked = contextual_heads(values, kContextualShare)};
}

/// Mean over the steps behind the first of what their queries pay to one key of it, the largest.
HeadMark sinks(const AttentionRecord& record) {
  const NamedArray& mass = record.array("mass.key");
  const int64_t last = last_attending_step(record.steps);
  int64_t keys = 0;  // before the axis is made: a damaged step may be of any size
  for (int64_t step = 0; step < std::ssize(record.steps) && keys <= mass.axes[2].size(); ++step) {
    keys += record.keys(step);
  }
  if (keys != mass.axes[2].size() || mass.axes[2] != step_key_axis(record.steps)) {
    throw Error(ErrorKind::kInput, "mass.key: its keys are not those of the record's steps");
  }
  const std::vector<int64_t> begins = step_key_begins(record.steps);
  HeadMark mark{.name = "sink share",
                .marked = "sink",
                .help = fmt::format("the largest share that one token of the first step receives, "
                                    "mean over the steps behind it; a sink from {:g} on",
                                    kSinkShare)};
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    for (int64_t head = 0; head < record.heads; ++head) {
      double largest = 0;
      for (int64_t key = 0; key < record.steps.front().queries(); ++key) {
        double sum = 0;
        for (int64_t step = 1; step <= last; ++step) {
          sum += mass.at(layer, head, begins[static_cast<size_t>(step)] + key) /
                 static_cast<double>(record.steps[static_cast<size_t>(step)].queries());
        }
        largest = std::max(largest, sum / static_cast<double>(std::max<int64_t>(last, 1)));
      }
      mark.values.push_back(largest);
      mark.is_marked.push_back(largest >= kSinkShare ? 1 : 0);
    }
  }
  return mark;
}

}  // namespace

int64_t line_tokens(const AttentionRecord& record) {
  for (const char* name : {"map.query", "mass.offset"}) {
    const auto found = record.arrays.find(name);
    if (found == record.arrays.end()) continue;
    const auto line = found->second.parameters.find("line_tokens");
    if (line == found->second.parameters.end()) continue;
    if (line->second > 0 && line->second <= std::ssize(record.steps)) return line->second;
  }
  return 0;
}

RecordMarks record_marks(const AttentionRecord& record) {
  RecordMarks marks;
  if (record.holds("mass.step") && record.holds("mass.history_top")) {
    marks.roles = layer_roles(record, step_groups(record, line_tokens(record)));
  } else {
    marks.missing.emplace_back("drafters and refiners: mass.step, mass.history_top");
  }
  if (record.holds("mass.offset") && record.holds("mass.condition")) {
    marks.heads.push_back(spatial_heads(record));
  } else if (record.holds("variance.query")) {
    marks.heads.push_back(contextual_heads_of(record));
  } else {
    marks.missing.emplace_back(record.is_next_token()
                                   ? "spatial and semantic heads: mass.offset, mass.condition"
                                   : "contextual heads: variance.query");
  }
  if (record.holds("mass.key") && !record.steps.empty()) {
    marks.heads.push_back(sinks(record));
  } else {
    marks.missing.emplace_back("sinks: mass.key");
  }
  return marks;
}

}  // namespace kvscope
