#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// What stands along an axis, one value an index.
struct Coordinate {
  std::string name{};
  std::vector<int64_t> values{};
  bool operator==(const Coordinate&) const = default;
};

/// One axis of an array. Most have a single coordinate of the axis's own name; an axis along which
/// pairs stand, such as the keys of every step one step after the other, has several, the outer one
/// first.
struct ArrayAxis {
  std::string name{};
  std::vector<Coordinate> coordinates{};  ///< at least one, all of the same length

  /// Values of its only coordinate: first, first + 1, ...
  static ArrayAxis counted(std::string name, int64_t size, int64_t first = 0);

  [[nodiscard]] int64_t size() const {
    return static_cast<int64_t>(coordinates.front().values.size());
  }
  /// The values of its coordinate of this name; null where it has none.
  [[nodiscard]] const std::vector<int64_t>* coordinate(std::string_view of) const;
  bool operator==(const ArrayAxis&) const = default;
};

/// How many bits of every number a file keeps.
enum class ArrayPrecision { kSingle, kHalf };

/// Numbers with named axes: what one attention statistic comes to.
struct NamedArray {
  std::vector<ArrayAxis> axes{};
  std::vector<double> values{};  ///< row-major over the axes
  std::string unit{};
  std::string help{};                           ///< one line
  std::map<std::string, int64_t> parameters{};  ///< what it was measured with: top_keys 16
  ArrayPrecision precision = ArrayPrecision::kSingle;

  /// All 0.
  static NamedArray zeros(std::vector<ArrayAxis> axes);

  [[nodiscard]] std::vector<int64_t> shape() const;
  /// Position of an element in `values`; one index an axis, unchecked.
  template <class... Index>
  [[nodiscard]] size_t index(Index... along) const {
    size_t position = 0;
    size_t axis = 0;
    ((position = position * static_cast<size_t>(axes[axis].size()) + static_cast<size_t>(along),
      ++axis),
     ...);
    return position;
  }
  template <class... Index>
  [[nodiscard]] double at(Index... along) const {
    return values[index(along...)];
  }
  /// Throws Error(kInput) where it was measured without `name`.
  [[nodiscard]] int64_t parameter(const std::string& name) const;
};

/// The array with every number divided by `divisor`.
NamedArray divided(NamedArray array, double divisor);

}  // namespace kvscope
