#include "analysis/attention/attention_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "analysis/attention/selectivity.h"
#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/hdf5/file.h"
#include "policies/slots.h"

namespace kvscope {
namespace {

constexpr const char* kSchema = "kvscope.attention";
constexpr int64_t kVersion = 1;

std::string key_mass_place(size_t step) {
  return fmt::format("mass/key/s{:02}", step);
}

// ---- writing

template <class T>
hdf5::Dataset write_array(hdf5::Group& root,
                          const std::string& name,
                          hdf5::Element element,
                          const std::vector<int64_t>& row_shape,
                          const std::vector<T>& values) {
  hdf5::Dataset dataset = root.create_dataset(name, {.element = element, .row_shape = row_shape});
  dataset.append_unflushed(values);
  return dataset;
}

std::vector<float> floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

void write_axes(hdf5::Group& root, const AttentionRecord& record) {
  std::vector<int64_t> layers(static_cast<size_t>(record.layers));
  std::vector<int64_t> heads(static_cast<size_t>(record.heads));
  for (size_t i = 0; i < layers.size(); ++i) layers[i] = static_cast<int64_t>(i);
  for (size_t i = 0; i < heads.size(); ++i) heads[i] = static_cast<int64_t>(i);
  write_array(root, "axes/layer", hdf5::Element::kI64, {}, layers);
  write_array(root, "axes/head", hdf5::Element::kI64, {}, heads);
  const auto axis = [&](const std::string& name, auto&& value) {
    std::vector<int64_t> values;
    for (const StepInfo& step : record.steps) values.push_back(static_cast<int64_t>(value(step)));
    write_array(root, "axes/" + name, hdf5::Element::kI64, {}, values);
  };
  axis("step", [](const StepInfo& step) { return step.index; });
  axis("step_kind", [](const StepInfo& step) { return step.kind; });
  axis("scale_h", [](const StepInfo& step) { return step.grid_height; });
  axis("scale_w", [](const StepInfo& step) { return step.grid_width; });
  axis("first_token", [](const StepInfo& step) { return step.first_token; });
  axis("stored", [](const StepInfo& step) { return step.stored; });
}

void write_prompts(hdf5::Group& root, const AttentionRecord& record) {
  size_t width = 1;
  for (const std::string& prompt : record.prompts) width = std::max(width, prompt.size());
  hdf5::Dataset prompts =
      root.create_dataset("prompts", {.element = hdf5::Element::kText,
                                      .row_shape = {},
                                      .text_bytes = static_cast<int64_t>(width)});
  prompts.append_unflushed(record.prompts);
}

void write_stats(hdf5::Group& root, const AttentionRecord& record) {
  const auto steps = static_cast<int64_t>(record.steps.size());
  const std::vector<int64_t> head_shape = {record.heads, steps};
  std::vector<float> current;
  std::vector<float> history;
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    for (int64_t head = 0; head < record.heads; ++head) {
      for (int64_t step = 0; step < steps; ++step) {
        double earlier = 0;
        for (int64_t on = 0; on < step; ++on) earlier += record.mass(layer, head, step, on);
        current.push_back(static_cast<float>(record.mass(layer, head, step, step)));
        history.push_back(static_cast<float>(earlier));
      }
    }
  }
  write_array(root, "stats/current_mass", hdf5::Element::kF32, head_shape, current);
  write_array(root, "stats/history_mass", hdf5::Element::kF32, head_shape, history);
  write_array(root, "stats/history_top_mass", hdf5::Element::kF32, head_shape,
              floats(record.history_top_mass));
  if (record.window_queries > 0) {
    write_array(root, "stats/window_entropy", hdf5::Element::kF32, {},
                floats(record.window_entropy))
        .set_attribute("queries", record.window_queries);
    write_array(root, "stats/window_variance", hdf5::Element::kF32, {},
                floats(record.window_variance));
  }
  if (!record.query_variance.empty()) {
    write_array(root, "stats/query_variance", hdf5::Element::kF32, {record.heads},
                floats(record.query_variance));
  }

  const LayerRoles roles = layer_roles(record);
  write_array(root, "stats/selectivity", hdf5::Element::kF32, {steps}, floats(roles.selectivity));
  std::vector<float> scores = floats(roles.z_score);
  for (float& score : scores) score = -score;
  write_array(root, "roles/drafter_score", hdf5::Element::kF32, {steps}, scores);
  std::vector<uint8_t> role;
  for (const LayerRole one : roles.role) role.push_back(static_cast<uint8_t>(one));
  write_array(root, "roles/role", hdf5::Element::kU8, {steps}, role);
  hdf5::Group group = root.group("roles");
  group.set_attribute("method", std::string("Attention Selectivity Index, lowest Z-scores"));
  group.set_attribute("drafters", roles.drafters);
}

void write_offsets(hdf5::Group& root, const AttentionRecord& record) {
  const int64_t pairs = record.layers * record.heads;
  if (record.line_tokens < 1 || pairs < 1) return;
  const int64_t width = 2 * record.line_tokens - 1;
  const int64_t lines = static_cast<int64_t>(record.offset_mass.size()) / pairs / width;
  const int64_t tokens = static_cast<int64_t>(record.condition_mass.size()) / pairs;
  write_array(root, "offsets/image", hdf5::Element::kF32, {record.heads, lines, width},
              floats(record.offset_mass))
      .set_attribute("line_tokens", record.line_tokens);
  write_array(root, "offsets/condition", hdf5::Element::kF32, {record.heads, tokens},
              floats(record.condition_mass));
}

void write_raw(hdf5::Group& root, const AttentionRecord& record) {
  for (const RawAttention& raw : record.raw) {
    const std::string name = fmt::format("raw/s{:02}/l{:02}_h{:02}", raw.step, raw.layer, raw.head);
    hdf5::Dataset dataset =
        write_array(root, name, hdf5::Element::kF16, {record.keys(raw.step)}, raw.rows);
    dataset.set_attribute("queries", raw.queries);
  }
}

// ---- reading

template <class T>
T attribute(const hdf5::Object& object, const std::string& name) {
  const hdf5::AttributeValue value = object.attribute(name);
  if (const T* content = std::get_if<T>(&value)) return *content;
  throw Error(ErrorKind::kInput, fmt::format("{}@{}: has another type than attention files write",
                                             object.where(), name));
}

/// Reads arrays after checking that they have the shape the axes promise and that the file is large
/// enough for what they claim: nothing is compressed.
class Reader {
 public:
  Reader(const hdf5::Group& root, uint64_t file_bytes) : root_(root), file_bytes_(file_bytes) {}

  template <class T>
  std::vector<T> read(const std::string& name, const std::vector<int64_t>& shape) const {
    const hdf5::Dataset dataset = root_.dataset(name);
    std::vector<int64_t> found = dataset.row_shape();
    found.insert(found.begin(), dataset.rows());
    if (found != shape) {
      throw Error(ErrorKind::kInput, fmt::format("{}: shape [{}], expected [{}]", dataset.where(),
                                                 fmt::join(found, ", "), fmt::join(shape, ", ")));
    }
    check_size(dataset, shape);
    return dataset.read<T>();
  }

  /// An axis of unknown length.
  std::vector<int64_t> axis(const std::string& name) const {
    const hdf5::Dataset dataset = root_.dataset("axes/" + name);
    return read<int64_t>("axes/" + name, {dataset.rows()});
  }

  void check_size(const hdf5::Dataset& dataset, const std::vector<int64_t>& shape) const {
    auto claimed =
        static_cast<double>(hdf5::element_bytes(dataset.element(), dataset.text_bytes()));
    for (const int64_t size : shape) claimed *= static_cast<double>(size);
    if (claimed > static_cast<double>(file_bytes_)) {
      throw Error(ErrorKind::kInput, fmt::format("{}: damaged: claims {} bytes in a file of {}",
                                                 dataset.where(), claimed, file_bytes_));
    }
  }

 private:
  const hdf5::Group& root_;
  uint64_t file_bytes_;
};

std::vector<double> doubles(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

void read_steps(const Reader& reader, const std::string& place, AttentionRecord& record) {
  const std::vector<int64_t> indices = reader.axis("step");
  const std::vector<int64_t> shape = {static_cast<int64_t>(indices.size())};
  const auto kinds = reader.read<int64_t>("axes/step_kind", shape);
  const auto heights = reader.read<int64_t>("axes/scale_h", shape);
  const auto widths = reader.read<int64_t>("axes/scale_w", shape);
  const auto firsts = reader.read<int64_t>("axes/first_token", shape);
  const auto stored = reader.read<int64_t>("axes/stored", shape);
  int64_t tokens = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    constexpr int64_t kLargestSide = int64_t{1} << 20;
    const bool good = indices[i] == static_cast<int64_t>(i) && kinds[i] >= 0 && kinds[i] <= 2 &&
                      heights[i] >= 1 && heights[i] <= kLargestSide && widths[i] >= 1 &&
                      widths[i] <= kLargestSide && firsts[i] == tokens;
    if (!good) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: damaged: step {} of the axes is {} x {} from token {}, expected "
                              "steps that follow each other",
                              place, i, heights[i], widths[i], firsts[i]));
    }
    tokens += heights[i] * widths[i];
    record.steps.push_back({.kind = static_cast<StepKind>(kinds[i]),
                            .index = indices[i],
                            .grid_height = heights[i],
                            .grid_width = widths[i],
                            .first_token = firsts[i],
                            .stored = stored[i] != 0});
  }
}

RawAttention read_raw_map(const Reader& reader,
                          const hdf5::Dataset& dataset,
                          const AttentionRecord& record,
                          const std::string& name) {
  RawAttention raw;
  int consumed = 0;
  const int found = std::sscanf(name.c_str(), "raw/s%ld/l%ld_h%ld%n", &raw.step, &raw.layer,
                                &raw.head, &consumed);
  const bool known = found == 3 && static_cast<size_t>(consumed) == name.size() && raw.step >= 0 &&
                     raw.step < static_cast<int64_t>(record.steps.size()) && raw.layer >= 0 &&
                     raw.layer < record.layers && raw.head >= 0 && raw.head < record.heads;
  if (!known) {
    throw Error(ErrorKind::kInput, fmt::format("{}: expected the name raw/s<step>/l<layer>_h<head> "
                                               "of a step, layer and head of the file",
                                               dataset.where()));
  }
  raw.queries = attribute<std::vector<int64_t>>(dataset, "queries");
  raw.rows =
      reader.read<float>(name, {static_cast<int64_t>(raw.queries.size()), record.keys(raw.step)});
  return raw;
}

void read_offsets(const hdf5::Group& root, const Reader& reader, AttentionRecord& record) {
  if (!root.contains("offsets") || record.steps.empty()) return;
  const hdf5::Dataset image = root.dataset("offsets/image");
  record.line_tokens = attribute<int64_t>(image, "line_tokens");
  const int64_t tokens = record.steps.back().first_token + record.steps.back().queries();
  if (record.line_tokens < 1 || record.line_tokens > tokens) {
    throw Error(ErrorKind::kInput, fmt::format("{}: damaged: lines of {} of {} tokens",
                                               image.where(), record.line_tokens, tokens));
  }
  const int64_t picture = tokens - condition_tokens(record.steps);
  const int64_t lines = (picture + record.line_tokens - 1) / record.line_tokens;
  record.offset_mass = doubles(reader.read<float>(
      "offsets/image", {record.layers, record.heads, lines, 2 * record.line_tokens - 1}));
  record.condition_mass =
      doubles(reader.read<float>("offsets/condition", {record.layers, record.heads, tokens}));
}

void read_raw(const hdf5::Group& root, const Reader& reader, AttentionRecord& record) {
  if (!root.contains("raw")) return;
  for (const std::string& step : root.group("raw").names()) {
    const std::string folder = "raw/" + step;
    for (const std::string& name : root.group(folder).names()) {
      const std::string place = folder + "/" + name;
      record.raw.push_back(read_raw_map(reader, root.dataset(place), record, place));
    }
  }
}

}  // namespace

void write_attention(const std::filesystem::path& path, const AttentionRecord& record) {
  AtomicFile place(path);
  {
    hdf5::File file = hdf5::File::create(place.part_path());
    hdf5::Group& root = file.root();
    root.set_attribute("schema", std::string(kSchema));
    root.set_attribute("schema_version", kVersion);
    root.set_attribute("model", record.model);
    root.set_attribute("point", record.point_hash);
    root.set_attribute("images", record.images);
    root.set_attribute("cfg_branch", std::string("conditional"));
    root.set_attribute("top_keys", record.top_keys);
    root.set_attribute("sampled_queries", record.sampled_queries);
    write_prompts(root, record);
    write_axes(root, record);
    const auto steps = static_cast<int64_t>(record.steps.size());
    const std::vector<int64_t> mass_shape = {record.heads, steps, steps};
    write_array(root, "mass/step_to_step", hdf5::Element::kF32, mass_shape,
                floats(record.step_mass));
    write_array(root, "mass/step_to_step_variance", hdf5::Element::kF32, mass_shape,
                floats(record.step_mass_variance));
    for (size_t step = 0; step < record.steps.size(); ++step) {
      write_array(root, key_mass_place(step), hdf5::Element::kF16,
                  {record.heads, record.keys(static_cast<int64_t>(step))},
                  floats(record.key_mass[step]));
    }
    write_stats(root, record);
    write_offsets(root, record);
    write_raw(root, record);
    file.flush();
  }
  place.commit();
}

AttentionRecord read_attention(const std::filesystem::path& path) {
  const hdf5::File file = hdf5::File::open(path, hdf5::File::Access::kRead);
  const hdf5::Group& root = file.root();
  const auto schema = attribute<std::string>(root, "schema");
  const auto version = attribute<int64_t>(root, "schema_version");
  if (schema != kSchema || version != kVersion) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: schema '{}' version {}, expected '{}' version {}", path.string(),
                            schema, version, kSchema, kVersion));
  }
  const Reader reader(root, std::filesystem::file_size(path));
  AttentionRecord record;
  record.model = attribute<std::string>(root, "model");
  record.point_hash = attribute<std::string>(root, "point");
  record.images = attribute<int64_t>(root, "images");
  record.top_keys = attribute<int64_t>(root, "top_keys");
  record.sampled_queries = attribute<int64_t>(root, "sampled_queries");
  const hdf5::Dataset prompts = root.dataset("prompts");
  reader.check_size(prompts, {prompts.rows()});
  record.prompts = prompts.read<std::string>();
  record.layers = static_cast<int64_t>(reader.axis("layer").size());
  record.heads = static_cast<int64_t>(reader.axis("head").size());
  read_steps(reader, path.string(), record);
  const auto steps = static_cast<int64_t>(record.steps.size());
  const std::vector<int64_t> mass_shape = {record.layers, record.heads, steps, steps};
  record.step_mass = doubles(reader.read<float>("mass/step_to_step", mass_shape));
  record.step_mass_variance = doubles(reader.read<float>("mass/step_to_step_variance", mass_shape));
  record.history_top_mass =
      doubles(reader.read<float>("stats/history_top_mass", {record.layers, record.heads, steps}));
  if (root.group("stats").contains("window_entropy")) {
    record.window_queries = attribute<int64_t>(root.dataset("stats/window_entropy"), "queries");
    record.window_entropy = doubles(reader.read<float>("stats/window_entropy", {record.layers}));
    record.window_variance = doubles(reader.read<float>("stats/window_variance", {record.layers}));
  }
  for (size_t step = 0; step < record.steps.size(); ++step) {
    record.key_mass.push_back(doubles(reader.read<float>(
        key_mass_place(step),
        {record.layers, record.heads, record.keys(static_cast<int64_t>(step))})));
  }
  if (root.group("stats").contains("query_variance")) {
    record.query_variance =
        doubles(reader.read<float>("stats/query_variance", {record.layers, record.heads}));
  }
  read_offsets(root, reader, record);
  read_raw(root, reader, record);
  return record;
}

}  // namespace kvscope
