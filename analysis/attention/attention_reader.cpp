#include "analysis/attention/attention_reader.h"

#include <fmt/ranges.h>

namespace kvscope {

void AttentionReader::check_size(const hdf5::Dataset& dataset,
                                 const std::vector<int64_t>& shape) const {
  auto claimed = static_cast<double>(hdf5::element_bytes(dataset.element(), dataset.text_bytes()));
  for (const int64_t size : shape) claimed *= static_cast<double>(size);
  if (claimed > static_cast<double>(file_bytes_)) {
    throw Error(ErrorKind::kInput, fmt::format("{}: damaged: claims {} bytes in a file of {}",
                                               dataset.where(), claimed, file_bytes_));
  }
}

void AttentionReader::check_shape(const hdf5::Dataset& dataset,
                                  const std::vector<int64_t>& shape) const {
  std::vector<int64_t> found = dataset.row_shape();
  found.insert(found.begin(), dataset.rows());
  if (found != shape) {
    throw Error(ErrorKind::kInput, fmt::format("{}: shape [{}], expected [{}]", dataset.where(),
                                               fmt::join(found, ", "), fmt::join(shape, ", ")));
  }
  check_size(dataset, shape);
}

std::vector<double> AttentionReader::doubles(const std::string& name,
                                             const std::vector<int64_t>& shape) const {
  const std::vector<float> values = read<float>(name, shape);
  return {values.begin(), values.end()};
}

std::vector<int64_t> AttentionReader::integers(const std::string& name) const {
  return read<int64_t>(name, {root_.dataset(name).rows()});
}

std::vector<std::string> AttentionReader::texts(const std::string& name) const {
  return read<std::string>(name, {root_.dataset(name).rows()});
}

std::vector<StepInfo> read_steps(const AttentionReader& reader, const StepPlaces& places) {
  const std::vector<int64_t> kinds = reader.integers(places.kind);
  const std::vector<int64_t> shape = {std::ssize(kinds)};
  const auto heights = reader.read<int64_t>(places.height, shape);
  const auto widths = reader.read<int64_t>(places.width, shape);
  const auto firsts = reader.read<int64_t>(places.first_token, shape);
  const auto stored = reader.read<int64_t>(places.stored, shape);
  std::vector<StepInfo> steps;
  int64_t tokens = 0;
  for (size_t i = 0; i < kinds.size(); ++i) {
    constexpr int64_t kLargestSide = int64_t{1} << 20;
    const bool good = kinds[i] >= 0 && kinds[i] <= 2 && heights[i] >= 1 &&
                      heights[i] <= kLargestSide && widths[i] >= 1 && widths[i] <= kLargestSide &&
                      firsts[i] == tokens;
    if (!good) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: damaged: step {} is {} x {} from token {}, expected steps that "
                              "follow each other",
                              reader.root().where(), i, heights[i], widths[i], firsts[i]));
    }
    tokens += heights[i] * widths[i];
    steps.push_back({.kind = static_cast<StepKind>(kinds[i]),
                     .index = static_cast<int64_t>(i),
                     .grid_height = heights[i],
                     .grid_width = widths[i],
                     .first_token = firsts[i],
                     .stored = stored[i] != 0});
  }
  return steps;
}

}  // namespace kvscope
