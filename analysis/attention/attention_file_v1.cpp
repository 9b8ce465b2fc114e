#include "analysis/attention/attention_file_v1.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/image_offsets.h"
#include "analysis/attention/raw_axes.h"
#include "analysis/attention/statistic_registry.h"

namespace kvscope {
namespace {

/// Reads what version 1 has into arrays, with units and helps of today.
class Version1 {
 public:
  explicit Version1(const AttentionReader& reader) : reader_(reader) {
    const hdf5::Group& root = reader_.root();
    record_.model = attention_attribute<std::string>(root, "model");
    record_.point_hash = attention_attribute<std::string>(root, "point");
    record_.images = attention_attribute<int64_t>(root, "images");
    record_.prompts = reader_.texts("prompts");
    record_.layers = std::ssize(reader_.integers("axes/layer"));
    record_.heads = std::ssize(reader_.integers("axes/head"));
    record_.steps = read_steps(reader_, {.kind = "axes/step_kind",
                                         .height = "axes/scale_h",
                                         .width = "axes/scale_w",
                                         .first_token = "axes/first_token",
                                         .stored = "axes/stored"});
  }

  AttentionRecord read() {
    read_masses();
    read_key_mass();
    read_stats();
    read_offsets();
    read_raw();
    return std::move(record_);
  }

 private:
  /// The array of the dataset at `place`, whose shape is that of `axes`.
  NamedArray& add(const std::string& name, const std::string& place, std::vector<ArrayAxis> axes) {
    NamedArray array{.axes = std::move(axes)};
    array.values = reader_.doubles(place, array.shape());
    return add(name, std::move(array));
  }

  NamedArray& add(const std::string& name, NamedArray array) {
    for (const RegisteredStatistic& one : attention_statistics()) {
      if (one.name != name) continue;
      array.help = one.help;
      array.unit = one.make({})->info().unit;
    }
    return record_.arrays[name] = std::move(array);
  }

  void read_masses() {
    const std::vector<ArrayAxis> axes = {layer_axis(record_.layers), head_axis(record_.heads),
                                         step_axis(record_.steps), on_step_axis(record_.steps)};
    add("mass.step", "mass/step_to_step", axes);
    NamedArray& variance = record_.variances["mass.step"] = record_.arrays.at("mass.step");
    variance.values = reader_.doubles("mass/step_to_step_variance", variance.shape());
    variance.unit = "share^2";
  }

  void read_key_mass() {
    NamedArray mass = NamedArray::zeros(
        {layer_axis(record_.layers), head_axis(record_.heads), step_key_axis(record_.steps)});
    mass.precision = ArrayPrecision::kHalf;
    const std::vector<int64_t> begins = step_key_begins(record_.steps);
    for (int64_t step = 0; step < std::ssize(record_.steps); ++step) {
      const int64_t keys = record_.keys(step);
      const std::vector<double> values = reader_.doubles(fmt::format("mass/key/s{:02}", step),
                                                         {record_.layers, record_.heads, keys});
      for (int64_t pair = 0; pair < record_.layers * record_.heads; ++pair) {
        std::copy_n(values.begin() + pair * keys, keys,
                    mass.values.begin() + static_cast<ptrdiff_t>(mass.index(
                                              0, pair, begins[static_cast<size_t>(step)])));
      }
    }
    add("mass.key", std::move(mass));
  }

  void read_stats() {
    const ArrayAxis layers = layer_axis(record_.layers);
    const ArrayAxis heads = head_axis(record_.heads);
    const hdf5::Group& root = reader_.root();
    add("mass.history_top", "stats/history_top_mass", {layers, heads, step_axis(record_.steps)})
        .parameters = {{"top_keys", attention_attribute<int64_t>(root, "top_keys")},
                       {"sampled_queries", attention_attribute<int64_t>(root, "sampled_queries")}};
    if (root.group("stats").contains("window_entropy")) {
      const auto queries =
          attention_attribute<int64_t>(root.dataset("stats/window_entropy"), "queries");
      add("entropy.window", "stats/window_entropy", {layers}).parameters = {{"queries", queries}};
      add("variance.window", "stats/window_variance", {layers}).parameters = {{"queries", queries}};
    }
    if (root.group("stats").contains("query_variance")) {
      constexpr int64_t kQueries = 64;  // as all files of version 1 were recorded
      add("variance.query", "stats/query_variance", {layers, heads}).parameters = {
          {"queries", kQueries}};
    }
  }

  void read_offsets() {
    const hdf5::Group& root = reader_.root();
    if (!root.contains("offsets") || record_.steps.empty()) return;
    const hdf5::Dataset image = root.dataset("offsets/image");
    const auto line = attention_attribute<int64_t>(image, "line_tokens");
    const int64_t tokens = all_tokens(record_.steps);
    if (line < 1 || line > tokens) {
      throw Error(ErrorKind::kInput, fmt::format("{}: damaged: lines of {} of {} tokens",
                                                 image.where(), line, tokens));
    }
    const ImageOffsets offsets = ImageOffsets::of(record_.steps, line);
    const ArrayAxis layers = layer_axis(record_.layers);
    const ArrayAxis heads = head_axis(record_.heads);
    add("mass.offset", "offsets/image",
        {layers, heads, offsets.lines_above_axis(), offsets.columns_beside_axis()})
        .parameters = {{"line_tokens", line}};
    add("mass.condition", "offsets/condition", {layers, heads, offsets.tokens_back_axis()});
  }

  /// One map of a step and head; its rows go into those of the array that begin at `row`.
  struct StoredMap {
    std::string place{};
    int64_t step = 0;
    std::pair<int64_t, int64_t> head{};  // layer, head
    std::vector<int64_t> queries{};
  };

  [[nodiscard]] StoredMap stored_map(const std::string& place) const {
    StoredMap map{.place = place};
    const hdf5::Dataset dataset = reader_.root().dataset(place);
    int consumed = 0;
    const int found = std::sscanf(place.c_str(), "raw/s%ld/l%ld_h%ld%n", &map.step, &map.head.first,
                                  &map.head.second, &consumed);
    const bool known = found == 3 && static_cast<size_t>(consumed) == place.size() &&
                       map.step >= 0 && map.step < std::ssize(record_.steps) &&
                       map.head.first >= 0 && map.head.first < record_.layers &&
                       map.head.second >= 0 && map.head.second < record_.heads;
    if (!known) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: expected the name raw/s<step>/l<layer>_h<head> of a step, layer "
                              "and head of the file",
                              dataset.where()));
    }
    map.queries = attention_attribute<std::vector<int64_t>>(dataset, "queries");
    return map;
  }

  void read_raw() {
    const hdf5::Group& root = reader_.root();
    if (!root.contains("raw")) return;
    std::vector<std::vector<StoredMap>> steps;  // with maps, in the order of steps
    for (const std::string& step : root.group("raw").names()) {
      steps.emplace_back();
      for (const std::string& name : root.group("raw/" + step).names()) {
        steps.back().push_back(stored_map(fmt::format("raw/{}/{}", step, name)));
      }
      if (steps.back().empty()) steps.pop_back();
    }
    if (steps.empty()) return;
    // Names of steps are sorted as texts: s100 comes before s99.
    std::ranges::sort(steps, {}, [](const auto& maps) { return maps.front().step; });
    std::vector<std::pair<int64_t, int64_t>> heads;
    std::vector<std::pair<int64_t, int64_t>> rows;
    for (const StoredMap& map : steps.front()) heads.push_back(map.head);
    for (const auto& maps : steps) {
      for (const int64_t query : maps.front().queries) rows.emplace_back(maps.front().step, query);
    }
    NamedArray raw =
        NamedArray::zeros({raw_head_axis(heads), raw_query_axis(rows), key_axis(record_.steps)});
    raw.precision = ArrayPrecision::kHalf;
    int64_t first_row = 0;
    for (const auto& maps : steps) {
      for (size_t i = 0; i < maps.size(); ++i) {
        if (maps.size() != heads.size() || maps[i].head != heads[i] ||
            maps[i].queries != maps.front().queries) {
          throw Error(ErrorKind::kInput, fmt::format("{}: damaged: expected the heads of the first "
                                                     "step, all with the same queries",
                                                     root.dataset(maps[i].place).where()));
        }
        copy_map(maps[i], i, first_row, raw);
      }
      first_row += std::ssize(maps.front().queries);
    }
    add("map.raw", std::move(raw));
  }

  void copy_map(const StoredMap& map, size_t head, int64_t first_row, NamedArray& raw) const {
    const int64_t keys = record_.keys(map.step);
    const std::vector<double> values = reader_.doubles(map.place, {std::ssize(map.queries), keys});
    for (int64_t row = 0; row < std::ssize(map.queries); ++row) {
      std::copy_n(values.begin() + row * keys, keys,
                  raw.values.begin() + static_cast<ptrdiff_t>(raw.index(head, first_row + row, 0)));
    }
  }

  const AttentionReader& reader_;
  AttentionRecord record_;
};

}  // namespace

AttentionRecord read_attention_v1(const AttentionReader& reader) {
  return Version1(reader).read();
}

}  // namespace kvscope
