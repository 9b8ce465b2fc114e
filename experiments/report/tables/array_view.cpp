#include "experiments/report/tables/array_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/base/error.h"

namespace kvscope {
namespace {

/// One coordinate of one axis, with its different values.
struct Along {
  std::string name;
  size_t axis;
  const std::vector<int64_t>* of_index;  // [size of the axis]
  std::vector<int64_t> values;           // ascending, each once
};

std::vector<Along> coordinates_of(const NamedArray& array) {
  std::vector<Along> all;
  for (size_t axis = 0; axis < array.axes.size(); ++axis) {
    for (const Coordinate& coordinate : array.axes[axis].coordinates) {
      Along one{.name = coordinate.name,
                .axis = axis,
                .of_index = &coordinate.values,
                .values = coordinate.values};
      std::ranges::sort(one.values);
      one.values.erase(std::unique(one.values.begin(), one.values.end()), one.values.end());
      all.push_back(std::move(one));
    }
  }
  return all;
}

const Along& named(const std::vector<Along>& all, const std::string& name, const char* option) {
  const auto found = std::ranges::find(all, name, &Along::name);
  if (found != all.end()) return *found;
  std::vector<std::string> known;
  for (const Along& one : all) known.push_back(one.name);
  throw Error(ErrorKind::kConfig, fmt::format("{} {}: the array has no such coordinate. {}", option,
                                              name, suggestion(name, known)));
}

/// A coordinate and the value it must have.
struct Pinned {
  const Along* along;
  int64_t value;
};

std::vector<Pinned> pinned_by(const std::vector<Along>& all, const std::vector<std::string>& at) {
  std::vector<Pinned> pins;
  for (const std::string& text : at) {
    const size_t equals = text.find('=');
    int64_t value = 0;
    const char* end = text.data() + text.size();
    const char* begin = equals == text.npos ? end : text.data() + equals + 1;
    const auto read = std::from_chars(begin, end, value);
    if (read.ec != std::errc() || read.ptr != end) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("--at {}: expected NAME=VALUE, as layer=0", text));
    }
    const Along& along = named(all, text.substr(0, equals), "--at");
    if (!std::ranges::binary_search(along.values, value)) {
      throw Error(ErrorKind::kConfig, fmt::format("--at {}: {} is one of {}..{}", text, along.name,
                                                  along.values.front(), along.values.back()));
    }
    pins.push_back({.along = &along, .value = value});
  }
  return pins;
}

/// Leaves the coordinates along the axes of `pins` the values that occur with what is pinned: of
/// step 6 its own queries.
void restrict_to(std::vector<Along>& all, const std::vector<Pinned>& pins) {
  for (Along& one : all) {
    const auto is_left = [&](size_t index) {
      return std::ranges::all_of(pins, [&](const Pinned& pin) {
        return pin.along->axis != one.axis || (*pin.along->of_index)[index] == pin.value;
      });
    };
    std::vector<int64_t> left;
    for (size_t index = 0; index < one.of_index->size(); ++index) {
      if (is_left(index)) left.push_back((*one.of_index)[index]);
    }
    if (left.empty()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("--at: nothing is there, as no {} has all of these", one.name));
    }
    std::ranges::sort(left);
    left.erase(std::unique(left.begin(), left.end()), left.end());
    one.values = std::move(left);
  }
}

/// The two coordinates that stand; null where there is none.
std::pair<const Along*, const Along*> chosen(const std::vector<Along>& all,
                                             const std::vector<Pinned>& pins,
                                             const ArrayViewOptions& options) {
  const Along* rows = options.rows.empty() ? nullptr : &named(all, options.rows, "--rows");
  const Along* columns =
      options.columns.empty() ? nullptr : &named(all, options.columns, "--columns");
  if (rows != nullptr && rows == columns) {
    throw Error(ErrorKind::kConfig,
                fmt::format("--rows {} --columns {}: expected two different coordinates",
                            rows->name, columns->name));
  }
  std::vector<const Along*> free;
  for (const Along& one : all) {
    const bool is_pinned =
        std::ranges::any_of(pins, [&](const Pinned& pin) { return pin.along == &one; });
    const bool fits = std::ssize(one.values) <= std::max(options.most_rows, options.most_columns);
    if (!is_pinned && fits && &one != rows && &one != columns) free.push_back(&one);
  }
  const size_t wanted = (rows == nullptr ? 1U : 0U) + (columns == nullptr ? 1U : 0U);
  if (free.size() > wanted)
    std::erase_if(free, [](const Along* one) { return one->name == "head"; });
  const auto take_last = [&](int64_t most) -> const Along* {
    for (size_t i = free.size(); i-- > 0;) {
      if (std::ssize(free[i]->values) > most) continue;
      const Along* found = free[i];
      free.erase(free.begin() + static_cast<ptrdiff_t>(i));
      return found;
    }
    return nullptr;
  };
  const bool single = free.size() + (rows == nullptr ? 0U : 1U) < 2 && columns == nullptr;
  if (columns == nullptr && !single) columns = take_last(options.most_columns);
  if (rows == nullptr) rows = take_last(options.most_rows);
  if (rows == nullptr) std::swap(rows, columns);
  return {rows, columns};
}

std::string averaging_text(const std::vector<Along>& all,
                           const std::vector<Pinned>& pins,
                           const Along* rows,
                           const Along* columns) {
  std::vector<std::string> means;
  std::vector<std::string> places;
  for (const Along& one : all) {
    const auto pin =
        std::ranges::find_if(pins, [&](const Pinned& other) { return other.along == &one; });
    if (pin != pins.end()) {
      places.push_back(fmt::format("{} = {}", one.name, pin->value));
    } else if (&one != rows && &one != columns && one.values.size() > 1) {
      means.push_back(fmt::format("{} ({})", one.name, one.values.size()));
    }
  }
  std::string text;
  if (!means.empty()) text = fmt::format("mean over {}", fmt::join(means, ", "));
  if (!places.empty()) {
    text += fmt::format("{}at {}", text.empty() ? "" : ", ", fmt::join(places, ", "));
  }
  return text;
}

/// Index of the value that `along` has at `index` of its axis.
size_t place_of(const Along& along, size_t index) {
  return static_cast<size_t>(std::ranges::lower_bound(along.values, (*along.of_index)[index]) -
                             along.values.begin());
}

}  // namespace

ArrayView array_view(const NamedArray& array, const ArrayViewOptions& options) {
  std::vector<Along> all = coordinates_of(array);
  const std::vector<Pinned> pins = pinned_by(all, options.at);
  restrict_to(all, pins);
  const auto [rows, columns] = chosen(all, pins, options);
  ArrayView view{.row_values = {0}, .column_values = {0}};
  if (rows != nullptr) {
    view.rows = rows->name;
    view.row_values = rows->values;
  }
  if (columns != nullptr) {
    view.columns = columns->name;
    view.column_values = columns->values;
  }
  const size_t width = view.column_values.size();
  std::vector<double> sums(view.row_values.size() * width, 0.0);
  std::vector<int64_t> counts(sums.size(), 0);
  std::vector<size_t> index(array.axes.size(), 0);
  for (const double value : array.values) {
    const bool counted = std::isfinite(value) && std::ranges::all_of(pins, [&](const Pinned& pin) {
                           return (*pin.along->of_index)[index[pin.along->axis]] == pin.value;
                         });
    if (counted) {
      const size_t row = rows == nullptr ? 0 : place_of(*rows, index[rows->axis]);
      const size_t column = columns == nullptr ? 0 : place_of(*columns, index[columns->axis]);
      sums[row * width + column] += value;
      ++counts[row * width + column];
    }
    for (size_t axis = index.size(); axis-- > 0;) {
      if (++index[axis] < static_cast<size_t>(array.axes[axis].size())) break;
      index[axis] = 0;
    }
  }
  for (size_t cell = 0; cell < sums.size(); ++cell) {
    view.values.push_back(counts[cell] == 0 ? std::numeric_limits<double>::quiet_NaN()
                                            : sums[cell] / static_cast<double>(counts[cell]));
  }
  view.averaging = averaging_text(all, pins, rows, columns);
  return view;
}

}  // namespace kvscope
