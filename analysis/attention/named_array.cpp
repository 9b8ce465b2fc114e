#include "analysis/attention/named_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/error.h"

namespace kvscope {

ArrayAxis ArrayAxis::counted(std::string name, int64_t size, int64_t first) {
  Coordinate own{.name = name, .values = std::vector<int64_t>(static_cast<size_t>(size))};
  std::iota(own.values.begin(), own.values.end(), first);
  return {.name = std::move(name), .coordinates = {std::move(own)}};
}

const std::vector<int64_t>* ArrayAxis::coordinate(std::string_view of) const {
  const auto found = std::ranges::find(coordinates, of, &Coordinate::name);
  return found == coordinates.end() ? nullptr : &found->values;
}

NamedArray NamedArray::zeros(std::vector<ArrayAxis> axes) {
  NamedArray array{.axes = std::move(axes)};
  int64_t count = 1;
  for (const int64_t size : array.shape()) count *= size;
  array.values.assign(static_cast<size_t>(count), 0.0);
  return array;
}

std::vector<int64_t> NamedArray::shape() const {
  std::vector<int64_t> sizes;
  for (const ArrayAxis& axis : axes) sizes.push_back(axis.size());
  return sizes;
}

int64_t NamedArray::parameter(const std::string& name) const {
  const auto found = parameters.find(name);
  if (found != parameters.end()) return found->second;
  throw Error(ErrorKind::kInput, fmt::format("an array without the parameter '{}'", name));
}

NamedArray divided(NamedArray array, double divisor) {
  for (double& value : array.values) value /= divisor;
  return array;
}

}  // namespace kvscope
