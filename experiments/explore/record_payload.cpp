#include "experiments/explore/record_payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/shell_word.h"
#include "experiments/explore/head_marks.h"
#include "experiments/explore/number_bytes.h"
#include "experiments/explore/query_map_payload.h"
#include "experiments/explore/reduced_array.h"
#include "experiments/report/text.h"

namespace kvscope {
namespace {

using nlohmann::json;

/// What would have recorded the maps, as it can be pasted.
std::string recording_command(const AttentionRecord& record) {
  return fmt::format("kvscope attention record model={} gen.images={} --query-maps --out maps.h5",
                     record.model.empty() ? "shapes_next_scale" : shell_word(record.model),
                     record.images);
}

json steps_json(const AttentionRecord& record) {
  json kinds = json::array();
  json heights = json::array();
  json widths = json::array();
  for (const StepInfo& step : record.steps) {
    kinds.push_back(static_cast<int>(step.kind));
    heights.push_back(step.grid_height);
    widths.push_back(step.grid_width);
  }
  return {{"kind", kinds}, {"height", heights}, {"width", widths}};
}

json side_json(const ReducedSide& side) {
  return {{"name", side.name}, {"first", side.first}, {"last", side.last}};
}

/// Writes the blocks of one record and what the page has to know of them.
class Writer {
 public:
  Writer(const AttentionRecord& record, std::string prefix)
      : record_(record), prefix_(std::move(prefix)) {}

  RecordPayload write(const std::string& file, int64_t most_map_bytes) {
    description_ = {{"file", file},
                    {"model", record_.model},
                    {"point", record_.point_hash},
                    {"images", record_.images},
                    {"layers", record_.layers},
                    {"heads", record_.heads},
                    {"headDim", record_.head_dim},
                    {"lineTokens", line_tokens(record_)},
                    {"isNextToken", record_.is_next_token()},
                    {"steps", steps_json(record_)}};
    write_images();
    write_arrays();
    write_marks();
    write_maps(most_map_bytes);
    payload_.description = description_.dump(-1, ' ', true, json::error_handler_t::replace);
    return std::move(payload_);
  }

 private:
  std::string add_block(const std::string& bytes) {
    payload_.blocks.push_back(
        {fmt::format("{}{}", prefix_, payload_.blocks.size()), base64(bytes)});
    return payload_.blocks.back().name;
  }

  void write_images() {
    json prompts = json::array();
    for (size_t i = 0; i < std::min<size_t>(record_.prompts.size(), 4); ++i) {
      prompts.push_back(record_.prompts[i]);
    }
    json images = json::array();
    for (const std::vector<uint8_t>& png : record_.first_images) {
      const std::string bytes(png.begin(), png.end());
      if (!bytes.starts_with("\x89PNG\r\n")) {
        payload_.notes.emplace_back("an image of the record is no PNG and is left out");
        break;
      }
      images.push_back(add_block(bytes));
    }
    description_["prompts"] = prompts;
    description_["pictures"] = images;
  }

  void write_arrays() {
    const std::vector<StepGroup> groups = step_groups(record_, line_tokens(record_));
    json arrays = json::array();
    for (const auto& [name, array] : record_.arrays) {
      if (name == "map.query") continue;
      if (const std::string lack = record_.lack_of(array); !lack.empty()) {
        payload_.notes.push_back(fmt::format("{}: holds {} and is not shown", name, lack));
        continue;
      }
      const std::optional<ReducedArray> reduced = reduced_by_head(array, groups);
      if (!reduced) {
        payload_.notes.push_back(name + ": has no layer axis and is not shown");
        continue;
      }
      const bool is_half = array.precision == ArrayPrecision::kHalf && reduced->averaging.empty();
      json sides = json::array();
      for (const ReducedSide& side : reduced->sides) sides.push_back(side_json(side));
      const auto& values = reduced->values;
      arrays.push_back({{"name", name},
                        {"unit", array.unit},
                        {"help", array.help},
                        {"parameters", array.parameters},
                        {"averaging", reduced->averaging},
                        {"hasHeads", reduced->has_heads},
                        {"sides", sides},
                        {"bits", is_half ? 16 : 32},
                        {"block", add_block(is_half ? half_bytes(values) : float_bytes(values))}});
    }
    description_["arrays"] = arrays;
  }

  void write_marks() {
    const RecordMarks marks = record_marks(record_);
    json heads = json::array();
    for (const HeadMark& mark : marks.heads) {
      heads.push_back({{"name", mark.name},
                       {"marked", mark.marked},
                       {"help", mark.help},
                       {"values", mark.values},
                       {"isMarked", mark.is_marked}});
    }
    description_["headMarks"] = heads;
    description_["missingMarks"] = marks.missing;
    if (!marks.roles) return;
    json firsts = json::array();
    json lasts = json::array();
    json drafters = json::array();
    for (const StepGroup& group : marks.roles->groups) {
      firsts.push_back(group.first);
      lasts.push_back(group.last);
    }
    for (const LayerRole role : marks.roles->role) drafters.push_back(static_cast<int>(role));
    description_["roles"] = {{"first", firsts},
                             {"last", lasts},
                             {"role", drafters},
                             {"zScore", marks.roles->z_score},
                             {"drafters", marks.roles->drafters}};
  }

  void write_maps(int64_t most_map_bytes) {
    if (!record_.holds("map.query")) {
      description_["recordMaps"] = recording_command(record_);
      payload_.notes.push_back(
          "where single queries look is not in the record; it is recorded by:"
          "\n  " +
          recording_command(record_));
      return;
    }
    const QueryMapPayload maps(record_);
    const std::vector<int64_t> layers = maps.fitting_layers(most_map_bytes);
    if (std::ssize(layers) < record_.layers) {
      payload_.notes.push_back(fmt::format("maps of {} of {} layers fit in --map-megabytes",
                                           layers.size(), record_.layers));
    }
    json blocks = json::array();
    for (const int64_t layer : layers) {
      for (int64_t head = 0; head < record_.heads; ++head) {
        blocks.push_back(add_block(maps.block(layer, head)));
      }
    }
    description_["maps"] = {
        {"layers", layers},
        {"blocks", blocks},
        {"rowLengths", maps.row_lengths()},
        {"query", {{"step", maps.query("step")}, {"query", maps.query("query")}}},
        {"cell",
         {{"onStep", maps.cell("on_step")},
          {"line", maps.cell("line")},
          {"column", maps.cell("column")},
          {"lines", maps.cell("lines")},
          {"columns", maps.cell("columns")}}}};
  }

  const AttentionRecord& record_;
  std::string prefix_;
  json description_;
  RecordPayload payload_;
};

}  // namespace

RecordPayload record_payload(const AttentionRecord& record,
                             const std::string& file,
                             const std::string& prefix,
                             int64_t most_map_bytes) {
  return Writer(record, prefix).write(file, most_map_bytes);
}

}  // namespace kvscope
