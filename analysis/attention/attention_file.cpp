#include "analysis/attention/attention_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/attention/attention_file_v1.h"
#include "analysis/attention/attention_reader.h"
#include "analysis/attention/former_names.h"
#include "analysis/attention/statistic_registry.h"
#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/hdf5/file.h"
#include "core/hdf5/seal.h"

namespace kvscope {
namespace {

constexpr int64_t kVersion = 3;

/// Where the arrays of a record lie.
struct Place {
  const char* group;
  std::map<std::string, NamedArray> AttentionRecord::*arrays;
  bool has_images = false;  ///< an axis "image" stands before those of the statistic
};
constexpr Place kPlaces[] = {{"arrays", &AttentionRecord::arrays},
                             {"variances", &AttentionRecord::variances},
                             {"of_images", &AttentionRecord::of_images, true}};

/// "axes/layer", "axes/step_key/step".
std::string place_of(const ArrayAxis& axis, const Coordinate& coordinate) {
  const std::string place = "axes/" + axis.name;
  return axis.coordinates.size() == 1 ? place : place + "/" + coordinate.name;
}

// ---- writing

template <class T>
hdf5::Dataset write_dataset(hdf5::Group& root,
                            const std::string& name,
                            hdf5::Element element,
                            const std::vector<int64_t>& row_shape,
                            const std::vector<T>& values) {
  int64_t row_elements = 1;
  for (const int64_t size : row_shape) row_elements *= size;
  // All rows in one chunk, unless they are large: records have many small arrays.
  constexpr int64_t kChunkElements = int64_t{1} << 18;
  const int64_t rows = std::ssize(values) / row_elements;
  const int64_t fitting = std::max<int64_t>(1, kChunkElements / row_elements);
  hdf5::Dataset dataset =
      root.create_dataset(name, {.element = element,
                                 .row_shape = row_shape,
                                 .chunk_rows = std::clamp<int64_t>(rows, 1, fitting)});
  dataset.append_unflushed(values);
  return dataset;
}

void write_steps(hdf5::Group& root, const std::vector<StepInfo>& steps) {
  const auto column = [&](const std::string& name, auto&& value) {
    std::vector<int64_t> values;
    values.reserve(steps.size());
    for (const StepInfo& step : steps) values.push_back(static_cast<int64_t>(value(step)));
    write_dataset(root, "steps/" + name, hdf5::Element::kI64, {}, values);
  };
  column("kind", [](const StepInfo& step) { return step.kind; });
  column("height", [](const StepInfo& step) { return step.grid_height; });
  column("width", [](const StepInfo& step) { return step.grid_width; });
  column("first_token", [](const StepInfo& step) { return step.first_token; });
  column("stored", [](const StepInfo& step) { return step.stored; });
}

void write_prompts(hdf5::Group& root, const std::vector<std::string>& prompts) {
  size_t width = 1;
  for (const std::string& prompt : prompts) width = std::max(width, prompt.size());
  root.create_dataset("prompts", {.element = hdf5::Element::kText,
                                  .row_shape = {},
                                  .text_bytes = static_cast<int64_t>(width),
                                  .chunk_rows = std::clamp<int64_t>(std::ssize(prompts), 1, 1024)})
      .append_unflushed(prompts);
}

void write_images(hdf5::Group& root, const std::vector<std::vector<uint8_t>>& images) {
  for (size_t image = 0; image < images.size(); ++image) {
    write_dataset(root, fmt::format("images/{}", image), hdf5::Element::kU8, {}, images[image]);
  }
}

/// Nothing where it has been `written`.
void write_axis(hdf5::Group& root,
                const ArrayAxis& axis,
                const std::string& name,
                std::map<std::string, ArrayAxis>& written) {
  const auto [known, is_new] = written.emplace(axis.name, axis);
  if (!is_new && known->second != axis) {
    throw Error(ErrorKind::kAudit,
                fmt::format("attention record: the axis '{}' of '{}' is another one than that of "
                            "the arrays before it; give it a name of its own",
                            axis.name, name));
  }
  if (!is_new) return;
  for (const Coordinate& coordinate : axis.coordinates) {
    write_dataset(root, place_of(axis, coordinate), hdf5::Element::kI64, {}, coordinate.values)
        .make_scale(coordinate.name);
  }
}

/// Axes by name, each written once.
void write_axes(hdf5::Group& root, const AttentionRecord& record) {
  std::map<std::string, ArrayAxis> written;
  for (const Place& place : kPlaces) {
    for (const auto& [name, array] : record.*place.arrays) {
      for (const ArrayAxis& axis : array.axes) write_axis(root, axis, name, written);
    }
  }
}

void write_array(hdf5::Group& root, const std::string& place, const NamedArray& array) {
  std::vector<int64_t> shape = array.shape();
  shape.erase(shape.begin());
  const auto element =
      array.precision == ArrayPrecision::kHalf ? hdf5::Element::kF16 : hdf5::Element::kF32;
  hdf5::Dataset dataset = write_dataset(
      root, place, element, shape, std::vector<float>(array.values.begin(), array.values.end()));
  for (size_t dimension = 0; dimension < array.axes.size(); ++dimension) {
    const ArrayAxis& axis = array.axes[dimension];
    dataset.label_dimension(static_cast<int64_t>(dimension), axis.name);
    for (const Coordinate& coordinate : axis.coordinates) {
      dataset.attach_scale(static_cast<int64_t>(dimension),
                           root.dataset(place_of(axis, coordinate)));
    }
  }
  dataset.set_attribute("unit", array.unit);
  dataset.set_attribute("help", array.help);
  dataset.set_attribute("parameters", nlohmann::json(array.parameters).dump());
}

// ---- reading

std::map<std::string, int64_t> read_parameters(const hdf5::Dataset& dataset) {
  const auto text = attention_attribute<std::string>(dataset, "parameters");
  const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
  std::map<std::string, int64_t> parameters;
  bool good = parsed.is_object();
  for (const auto& [key, value] : parsed.items()) {
    good = good && value.is_number_integer();
    if (good) parameters[key] = value.get<int64_t>();
  }
  if (good) return parameters;
  throw Error(ErrorKind::kInput,
              fmt::format("{}@parameters: '{:.80}'; expected a JSON object of integers",
                          dataset.where(), text));
}

/// The axis along a dimension, from its label and scales.
ArrayAxis read_axis(const AttentionReader& reader,
                    const hdf5::Dataset& dataset,
                    int64_t dimension) {
  ArrayAxis axis{.name = dataset.dimension_label(dimension)};
  for (const std::string& scale : dataset.dimension_scales(dimension)) {
    const std::string name = scale.substr(scale.rfind('/') + 1);
    axis.coordinates.push_back({.name = name, .values = reader.integers(scale.substr(1))});
  }
  const int64_t size =
      dimension == 0 ? dataset.rows() : dataset.row_shape()[static_cast<size_t>(dimension) - 1];
  const bool fits = std::ranges::all_of(axis.coordinates, [&](const Coordinate& coordinate) {
    return std::ssize(coordinate.values) == size;
  });
  if (axis.name.empty() || axis.coordinates.empty() || !fits) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: dimension {} ('{}') of {} elements: expected a label and, attached "
                    "as its scales, coordinates below /axes of as many values",
                    dataset.where(), dimension, axis.name, size));
  }
  return axis;
}

NamedArray read_array(const AttentionReader& reader, const std::string& place) {
  const hdf5::Dataset dataset = reader.root().dataset(place);
  NamedArray array{.precision = dataset.element() == hdf5::Element::kF16 ? ArrayPrecision::kHalf
                                                                         : ArrayPrecision::kSingle};
  const int64_t dimensions = std::ssize(dataset.row_shape()) + 1;
  for (int64_t dimension = 0; dimension < dimensions; ++dimension) {
    array.axes.push_back(read_axis(reader, dataset, dimension));
  }
  array.unit = attention_attribute<std::string>(dataset, "unit");
  array.help = attention_attribute<std::string>(dataset, "help");
  array.parameters = read_parameters(dataset);
  array.values = reader.doubles(place, array.shape());
  return array;
}

/// What stands along an axis of the model, all of it or a part.
void check_axis(const hdf5::Group& root,
                const ArrayAxis& axis,
                const char* name,
                int64_t expected) {
  if (axis.name != name) return;
  const std::vector<int64_t>& values = axis.coordinates.front().values;
  const bool ascends = std::ranges::adjacent_find(values, std::greater_equal<>()) == values.end();
  if (ascends && (values.empty() || (values.front() >= 0 && values.back() < expected))) return;
  throw Error(ErrorKind::kInput,
              fmt::format("{}: an axis '{}' of {} in other order or beyond 0..{}", root.where(),
                          name, axis.size(), expected - 1));
}

/// Likewise what is there as a whole: 0, 1, ...
void check_whole_axis(const hdf5::Group& root,
                      const ArrayAxis& axis,
                      const char* name,
                      int64_t expected) {
  if (axis.name != name) return;
  if (axis.size() == expected && axis == ArrayAxis::counted(name, expected)) return;
  throw Error(ErrorKind::kInput,
              fmt::format("{}: an axis '{}' of {} that does not count from 0 to {}", root.where(),
                          name, axis.size(), expected - 1));
}

/// Variances, and arrays of every image, are of arrays that are there, and as large.
void check_companions(const hdf5::Group& root, const AttentionRecord& record) {
  for (const Place& place : kPlaces) {
    for (const auto& [name, array] : record.*place.arrays) {
      std::vector<ArrayAxis> expected;
      if (place.has_images) expected.push_back(ArrayAxis::counted("image", record.images));
      const auto whole = record.arrays.find(name);
      if (whole != record.arrays.end()) {
        expected.insert(expected.end(), whole->second.axes.begin(), whole->second.axes.end());
      }
      if (whole != record.arrays.end() && array.axes == expected) continue;
      throw Error(ErrorKind::kInput, fmt::format("{}{}/{}: is not of the axes of arrays/{}",
                                                 root.where(), place.group, name, name));
    }
  }
}

/// Who reads an array of a statistic goes by its axes.
void check_axes(const hdf5::Group& root,
                const std::string& where,
                const std::string& name,
                const NamedArray& array,
                bool has_images) {
  for (const RegisteredStatistic& one : attention_statistics()) {
    if (one.name != name) continue;
    const std::vector<std::string> expected = one.make({})->info().axes;
    std::vector<std::string> found;
    for (const ArrayAxis& axis : array.axes) found.push_back(axis.name);
    if (has_images && !found.empty() && found.front() == "image") found.erase(found.begin());
    if (found == expected) return;
    throw Error(ErrorKind::kInput,
                fmt::format("{}{}: axes [{}], expected [{}]", root.where(), where,
                            fmt::join(found, ", "), fmt::join(expected, ", ")));
  }
}

/// Files of version 2 have the one variance that they have among the arrays.
constexpr const char* kFormerVariance = "step_mass_variance";

void read_arrays(const AttentionReader& reader,
                 int64_t version,
                 const Place& place,
                 AttentionRecord& record) {
  const hdf5::Group& root = reader.root();
  if (!root.contains(place.group)) return;
  for (const std::string& name : root.group(place.group).names()) {
    const std::string where = fmt::format("{}/{}", place.group, name);
    if (version == 2 && name == kFormerVariance) {
      record.variances["mass.step"] = read_array(reader, where);
      continue;
    }
    const std::string name_today = version == 2 ? name_since_version_3(name) : name;
    const NamedArray& array = (record.*place.arrays)[name_today] = read_array(reader, where);
    check_axes(root, where, name_today, array, place.has_images);
    for (const ArrayAxis& axis : array.axes) {
      check_axis(root, axis, "layer", record.layers);
      check_axis(root, axis, "head", record.heads);
      check_axis(root, axis, "step", std::ssize(record.steps));
      check_whole_axis(root, axis, "on_step", std::ssize(record.steps));
      check_whole_axis(root, axis, "image", record.images);
    }
  }
}

std::vector<std::vector<uint8_t>> read_images(const AttentionReader& reader) {
  std::vector<std::vector<uint8_t>> images;
  if (!reader.root().contains("images")) return images;
  const size_t count = reader.root().group("images").names().size();
  while (images.size() < count) {
    const std::string name = fmt::format("images/{}", images.size());
    images.push_back(reader.read<uint8_t>(name, {reader.root().dataset(name).rows()}));
  }
  return images;
}

AttentionRecord read_since_version_2(const AttentionReader& reader, int64_t version) {
  const hdf5::Group& root = reader.root();
  AttentionRecord record;
  record.model = attention_attribute<std::string>(root, "model");
  record.point_hash = attention_attribute<std::string>(root, "point");
  if (root.has_attribute("recording")) {
    record.recording = attention_attribute<std::string>(root, "recording");
  }
  record.images = attention_attribute<int64_t>(root, "images");
  if (root.has_attribute("asked_images")) {
    record.asked_images = attention_attribute<int64_t>(root, "asked_images");
  }
  record.layers = attention_attribute<int64_t>(root, "layers");
  record.heads = attention_attribute<int64_t>(root, "heads");
  record.head_dim = attention_attribute<int64_t>(root, "head_dim");
  record.prompts = reader.texts("prompts");
  record.first_images = read_images(reader);
  record.steps = read_steps(reader, {.kind = "steps/kind",
                                     .height = "steps/height",
                                     .width = "steps/width",
                                     .first_token = "steps/first_token",
                                     .stored = "steps/stored"});
  if (record.images < 1 || record.asked_images < 0) {
    throw Error(ErrorKind::kInput, fmt::format("{}: a record of {} of {} images", root.where(),
                                               record.images, record.asked_images));
  }
  for (const Place& place : kPlaces) read_arrays(reader, version, place, record);
  check_companions(root, record);
  return record;
}

}  // namespace

void write_attention(const std::filesystem::path& path, const AttentionRecord& record) {
  AtomicFile target(path);
  {
    hdf5::File file = hdf5::File::create(target.part_path(), kSealBytes);
    hdf5::Group& root = file.root();
    root.set_attribute("schema", std::string(kAttentionSchema));
    root.set_attribute("schema_version", kVersion);
    root.set_attribute("model", record.model);
    root.set_attribute("point", record.point_hash);
    root.set_attribute("recording", record.recording);
    root.set_attribute("images", record.images);
    root.set_attribute("asked_images", record.asked_images);
    root.set_attribute("layers", record.layers);
    root.set_attribute("heads", record.heads);
    root.set_attribute("head_dim", record.head_dim);
    root.set_attribute("cfg_branch", std::string("conditional"));
    write_prompts(root, record.prompts);
    write_images(root, record.first_images);
    write_steps(root, record.steps);
    write_axes(root, record);
    for (const Place& place : kPlaces) {
      root.create_group(place.group);
      for (const auto& [name, array] : record.*place.arrays) {
        write_array(root, fmt::format("{}/{}", place.group, name), array);
      }
    }
    file.flush();
  }
  seal_file(target.part_path());
  target.commit();
}

AttentionRecord read_attention(const std::filesystem::path& path) {
  if (seal_of(path) == Seal::kBroken) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: damaged: its bytes are not those that were written", path.string()));
  }
  const hdf5::File file = hdf5::File::open(path, hdf5::File::Access::kRead);
  const hdf5::Group& root = file.root();
  const auto schema = attention_attribute<std::string>(root, "schema");
  const auto version = attention_attribute<int64_t>(root, "schema_version");
  if (schema != kAttentionSchema || version < 1 || version > kVersion) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: schema '{}' version {}, expected '{}' version {} or an earlier one",
                    path.string(), schema, version, kAttentionSchema, kVersion));
  }
  const AttentionReader reader(root, std::filesystem::file_size(path));
  return version == 1 ? read_attention_v1(reader) : read_since_version_2(reader, version);
}

}  // namespace kvscope
