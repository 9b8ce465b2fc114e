#include "experiments/recording/record_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/config/compose.h"
#include "core/config/override.h"
#include "experiments/sweep/text_overrides.h"

namespace kvscope {
namespace {

constexpr int64_t kMost = 1'000'000'000;

/// "3:0" as (3, 0).
std::pair<int64_t, int64_t> layer_and_head(const std::string& text, const std::string& place) {
  std::pair<int64_t, int64_t> pair;
  const char* const end = text.data() + text.size();
  const auto layer = std::from_chars(text.data(), end, pair.first);
  const bool has_colon = layer.ec == std::errc() && layer.ptr != end && *layer.ptr == ':';
  const auto head = std::from_chars(has_colon ? layer.ptr + 1 : end, end, pair.second);
  if (!has_colon || head.ec != std::errc() || head.ptr != end) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: '{}': expected LAYER:HEAD, as 3:0", place, text));
  }
  return pair;
}

/// A number, a text as "0,7..9", or a list of both; empty where there is nothing.
IndexRanges read_indices(Options& options, const std::string& key, const std::string& help) {
  const ConfigNode* node =
      options.value({.key = key,
                     .accepts = "indices and ranges of them, as '0,7..9' or [0, 7..9]",
                     .default_value = ConfigNode(),
                     .help = help,
                     .identity = Identity::kNone});
  IndexRanges ranges;
  const auto add = [&](const ConfigNode& value) {
    const std::string text = value.kind() == ConfigKind::kInt ? fmt::format("{}", value.as_int64())
                             : value.is_string()              ? value.as_string()
                                                              : "";
    const IndexRanges more = IndexRanges::from_text(text, options.place(key));
    if (more.empty()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: expected indices and ranges of them, as 0,7..9, or null",
                              options.place(key)));
    }
    ranges.add(more);
  };
  if (node == nullptr || node->is_null()) return ranges;
  if (node->is_list()) {
    for (const ConfigNode& value : node->items()) add(value);
  } else {
    add(*node);
  }
  return ranges;
}

/// The same; all where there is nothing.
IndexRanges read_part(Options& options, const std::string& key, const std::string& help) {
  IndexRanges ranges = read_indices(options, key, help);
  return ranges.empty() ? IndexRanges::all() : ranges;
}

int64_t read_count(Options& options,
                   const std::string& key,
                   int64_t default_value,
                   int64_t min,
                   const std::string& help) {
  return options.integer({.key = key,
                          .default_value = default_value,
                          .min = min,
                          .max = kMost,
                          .help = help,
                          .identity = Identity::kNone});
}

bool is_of_record(const std::string& text) {
  for (const Override& override : parse_overrides(with_quoted_texts({text}, true))) {
    if (override.key == "record" || override.key.starts_with("record.")) return true;
  }
  return false;
}

}  // namespace

AttentionRecorderOptions read_recording(Options& options) {
  AttentionRecorderOptions what;
  what.statistics = options.words({.key = "statistics",
                                   .default_value = std::vector<std::string>{"default"},
                                   .help = "names of `kvscope attention list`, patterns as sink.*, "
                                           "default or all",
                                   .identity = Identity::kNone});
  what.part = {.layers = read_part(options, "layers", "layers whose attention is kept"),
               .heads = read_part(options, "heads", "heads of keys whose attention is kept"),
               .steps = read_part(options, "steps", "steps whose attention is kept")};
  what.top_keys = read_count(options, "top_keys", what.top_keys, 1, "K' of the selectivity index");
  what.sampled_queries = read_count(options, "sampled_queries", what.sampled_queries, 0,
                                    "queries of a step, evenly spaced; 0: all");
  what.window_queries = read_count(options, "window_queries", what.window_queries, 1,
                                   "last queries of a generation, CAKE's window");
  for (const std::string& text : options.words({.key = "raw",
                                 .default_value = std::vector<std::string>{},
                                 .help = "LAYER:HEAD whose maps are kept, of the first image",
                                 .identity = Identity::kNone})) {
    what.raw_heads.push_back(layer_and_head(text, options.place("raw")));
  }
  what.raw_queries = read_count(options, "raw_queries", what.raw_queries, 0,
                                "rows of such a map a step, evenly spaced; 0: all");
  what.raw_at = read_indices(options, "raw_at", "tokens of a step whose rows these are instead");
  what.query_maps = options.flag({.key = "query_maps",
                                  .default_value = false,
                                  .help = "map.query beside the statistics, for attention explore",
                                  .identity = Identity::kNone});
  what.map_query_side = read_count(options, "query_side", what.map_query_side, 1,
                                   "queries of a query map: so many times so many of a scale");
  what.map_key_side = read_count(options, "key_side", what.map_key_side, 1,
                                 "keys of a query map: pooled to so many times so many of a scale");
  what.per_image_numbers =
      read_count(options, "per_image_numbers", what.per_image_numbers, 0,
                 "arrays of at most so many numbers are also kept for every image; 0: none");
  return what;
}

RecordOverrides split_record_overrides(const std::vector<std::string>& overrides) {
  RecordOverrides split;
  for (const std::string& text : overrides) {
    (is_of_record(text) ? split.of_record : split.of_point).push_back(text);
  }
  return split;
}

AttentionRecorderOptions recording_settings(ConfigArguments arguments,
                                            const std::vector<std::string>& of_record) {
  arguments.overrides = of_record;
  bool chooses = false;
  for (std::string& text : arguments.overrides) {
    if (text.starts_with("record=")) text = fmt::format("+{}", text);
    chooses = chooses || text.starts_with("+record=");
  }
  if (!chooses) arguments.overrides.insert(arguments.overrides.begin(), "+record=default");
  const Composition composition = compose(compose_request(arguments));
  if (!composition.without_effect.empty()) {
    throw Error(ErrorKind::kConfig, composition.without_effect.front().second);
  }
  Options options("record", composition.config.at("record"));
  AttentionRecorderOptions what = read_recording(options);
  options.finish();
  return what;
}

}  // namespace kvscope
