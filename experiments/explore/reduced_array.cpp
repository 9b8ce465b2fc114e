#include "experiments/explore/reduced_array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace kvscope {
namespace {

constexpr int64_t kNowhere = -1;

/// A side, in which of its bins every element of an axis lies, and how many values a bin has.
struct Binning {
  ReducedSide side{};
  std::vector<int64_t> bin_of_element{};
  std::vector<int64_t> values_of_bin{};
  std::string remark{};  // empty: a bin is a value
};

Binning in_groups(const Coordinate& coordinate, const std::vector<StepGroup>& groups) {
  Binning binning{.side = {.name = coordinate.name}};
  int64_t longest = 0;
  for (const StepGroup& group : groups) {
    binning.side.first.push_back(group.first);
    binning.side.last.push_back(group.last);
    binning.values_of_bin.push_back(group.last - group.first + 1);
    longest = std::max(longest, binning.values_of_bin.back());
  }
  for (const int64_t value : coordinate.values) {
    const auto found = std::ranges::find_if(groups, [&](const StepGroup& group) {
      return group.first <= value && value <= group.last;
    });
    binning.bin_of_element.push_back(found == groups.end() ? kNowhere : found - groups.begin());
  }
  if (longest > 1) binning.remark = fmt::format("{} in groups of {}", coordinate.name, longest);
  return binning;
}

Binning in_bins(const Coordinate& coordinate, int64_t most_bins) {
  std::vector<int64_t> values = coordinate.values;
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  const int64_t width = (std::ssize(values) + most_bins - 1) / most_bins;
  Binning binning{.side = {.name = coordinate.name}};
  for (int64_t begin = 0; begin < std::ssize(values); begin += width) {
    const int64_t end = std::min(begin + width, std::ssize(values));
    binning.side.first.push_back(values[begin]);
    binning.side.last.push_back(values[end - 1]);
    binning.values_of_bin.push_back(end - begin);
  }
  for (const int64_t value : coordinate.values) {
    const int64_t rank = std::ranges::lower_bound(values, value) - values.begin();
    binning.bin_of_element.push_back(rank / width);
  }
  if (width > 1) binning.remark = fmt::format("{} in bins of {}", coordinate.name, width);
  return binning;
}

/// Masses on keys add up: a share on keys taken together, or on their steps, is the sum.
bool adds_up(const NamedArray& array, const std::string& coordinate) {
  return (array.unit == "share" || array.unit == "queries") &&
         (coordinate == "on_step" || coordinate == "key");
}

class Reduction {
 public:
  Reduction(const NamedArray& array, const std::vector<StepGroup>& groups, int64_t most_bins)
      : array_(array), bins_(array.axes.size()) {
    reduced_ = {.layers = array.axes.front().size(), .heads = 1};
    if (array.axes.size() > 1 && array.axes[1].name == "head") {
      reduced_.heads = array.axes[1].size();
      reduced_.has_heads = true;
    }
    choose_sides(groups, most_bins);
    place_elements();
  }

  ReducedArray reduce() {
    const auto count = static_cast<size_t>(reduced_.layers * reduced_.heads * cells_);
    std::vector<double> sums(count, 0.0);
    std::vector<int64_t> counts(count, 0);
    std::vector<size_t> at(array_.axes.size(), 0);  // an odometer over the array
    for (const double value : array_.values) {
      const int64_t place = place_of(at);
      if (place != kNowhere && !std::isnan(value)) {
        sums[static_cast<size_t>(place)] += value;
        ++counts[static_cast<size_t>(place)];
      }
      for (size_t axis = at.size(); axis-- > 0;) {
        if (++at[axis] < places_[axis].size()) break;
        at[axis] = 0;
      }
    }
    for (size_t place = 0; place < count; ++place) {
      const double divisor = has_sums_ ? divisors_[place % static_cast<size_t>(cells_)]
                                       : static_cast<double>(counts[place]);
      reduced_.values.push_back(counts[place] == 0 ? std::numeric_limits<double>::quiet_NaN()
                                                   : sums[place] / divisor);
    }
    return std::move(reduced_);
  }

 private:
  [[nodiscard]] size_t first_other() const { return reduced_.has_heads ? 2 : 1; }

  void choose_sides(const std::vector<StepGroup>& groups, int64_t most_bins) {
    std::vector<std::string> remarks;
    for (size_t axis = first_other(); axis < array_.axes.size(); ++axis) {
      for (const Coordinate& coordinate : array_.axes[axis].coordinates) {
        if (reduced_.sides.size() == 2) {
          remarks.push_back("mean over " + coordinate.name);
          continue;
        }
        Binning binning = in_bins(coordinate, most_bins);
        const bool is_step = coordinate.name == "step" || coordinate.name == "on_step";
        const bool has_groups = !groups.empty() && std::ssize(groups) <= most_bins;
        if (is_step && !binning.remark.empty() && has_groups) {
          binning = in_groups(coordinate, groups);
        }
        const bool sums = adds_up(array_, coordinate.name) && !binning.remark.empty();
        if (!binning.remark.empty()) {
          remarks.push_back((sums ? "sum over " : "mean over ") + binning.remark);
        }
        has_sums_ = has_sums_ || sums;
        is_mean_.push_back(!sums);
        bins_[axis].push_back(reduced_.sides.size());
        reduced_.sides.push_back(binning.side);
        binnings_.push_back(std::move(binning));
      }
    }
    reduced_.averaging = fmt::format("{}", fmt::join(remarks, ", "));
  }

  /// Where an element of an axis goes, added up over the axes; what a cell is divided by.
  void place_elements() {
    std::vector<int64_t> strides(reduced_.sides.size(), 1);
    for (size_t side = reduced_.sides.size(); side-- > 0;) {
      strides[side] = cells_;
      cells_ *= std::ssize(reduced_.sides[side].first);
    }
    double left_out = 1;  // elements of axes that no side shows
    for (size_t axis = 0; axis < array_.axes.size(); ++axis) {
      const int64_t size = array_.axes[axis].size();
      if (axis >= first_other() && bins_[axis].empty()) left_out *= static_cast<double>(size);
      const int64_t step = axis == 0 ? reduced_.heads * cells_ : axis < first_other() ? cells_ : 0;
      places_.emplace_back();
      for (int64_t element = 0; element < size; ++element) {
        int64_t place = element * step;
        for (const size_t side : bins_[axis]) {
          const int64_t bin = binnings_[side].bin_of_element[static_cast<size_t>(element)];
          place = place == kNowhere || bin == kNowhere ? kNowhere : place + bin * strides[side];
        }
        places_.back().push_back(place);
      }
    }
    for (int64_t cell = 0; cell < cells_; ++cell) {
      double divisor = left_out;
      for (size_t side = 0; side < strides.size(); ++side) {
        const auto& values = binnings_[side].values_of_bin;
        const auto bin = static_cast<size_t>(cell / strides[side]) % values.size();
        if (is_mean_[side]) divisor *= static_cast<double>(values[bin]);
      }
      divisors_.push_back(divisor);
    }
  }

  [[nodiscard]] int64_t place_of(const std::vector<size_t>& at) const {
    int64_t place = 0;
    for (size_t axis = 0; axis < at.size(); ++axis) {
      const int64_t part = places_[axis][at[axis]];
      if (part == kNowhere) return kNowhere;
      place += part;
    }
    return place;
  }

  const NamedArray& array_;
  ReducedArray reduced_{};
  std::vector<std::vector<size_t>> bins_;  // [axes] sides that it has
  std::vector<Binning> binnings_{};        // [sides]
  std::vector<bool> is_mean_{};            // [sides] rather than a sum over its bins
  bool has_sums_ = false;
  int64_t cells_ = 1;                           // of a head
  std::vector<std::vector<int64_t>> places_{};  // [axes][elements]
  std::vector<double> divisors_{};              // [cells] of sums over some sides
};

}  // namespace

std::optional<ReducedArray> reduced_by_head(const NamedArray& array,
                                            const std::vector<StepGroup>& groups,
                                            int64_t most_bins) {
  if (array.axes.empty() || array.axes.front().name != "layer") return std::nullopt;
  return Reduction(array, groups, most_bins).reduce();
}

}  // namespace kvscope
