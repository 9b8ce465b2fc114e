#include "core/hdf5/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/hdf5/call.h"
#include "core/hdf5/half.h"
#include "core/hdf5/text.h"

namespace kvscope::hdf5 {
namespace {

constexpr int64_t kChunkBytes = int64_t{1} << 20;
constexpr int64_t kMaxChunkBytes = int64_t{8} << 20;
constexpr int64_t kMaxDefaultChunkRows = 1024;

// One chunk: whole rows, unless a single row is larger than a chunk should be.
std::vector<hsize_t> chunk_shape(const DatasetLayout& layout) {
  std::vector<hsize_t> row(layout.row_shape.begin(), layout.row_shape.end());
  auto row_bytes = static_cast<hsize_t>(element_bytes(layout.element, layout.text_bytes));
  for (const hsize_t dimension : row) row_bytes *= dimension;
  for (hsize_t& dimension : row) {
    while (row_bytes > kMaxChunkBytes && dimension > 1) {
      row_bytes = row_bytes / dimension * ((dimension + 1) / 2);
      dimension = (dimension + 1) / 2;
    }
  }
  const int64_t fitting =
      std::clamp<int64_t>(kChunkBytes / static_cast<int64_t>(row_bytes), 1, kMaxDefaultChunkRows);
  row.insert(row.begin(),
             static_cast<hsize_t>(layout.chunk_rows > 0 ? layout.chunk_rows : fitting));
  return row;
}

void check_layout(const DatasetLayout& layout, const std::string& where) {
  const bool positive = std::ranges::all_of(layout.row_shape, [](int64_t n) { return n > 0; });
  const bool has_width = layout.element != Element::kText || layout.text_bytes > 0;
  if (!positive || !has_width || layout.compression < 0 || layout.compression > 9) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: a row's dimensions and text width must be positive, compression 0 to 9",
                    where));
  }
}

// Texts side by side, each zero-padded to the column's width.
std::vector<char> pack_texts(std::span<const std::string> texts,
                             int64_t width_bytes,
                             const std::string& where) {
  const auto width = static_cast<size_t>(width_bytes);
  std::vector<char> packed(texts.size() * width);
  for (size_t i = 0; i < texts.size(); ++i) {
    check_text(texts[i], where);
    if (texts[i].size() > width) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: text of {} bytes does not fit the column's {}: '{}'", where,
                              texts[i].size(), width, texts[i]));
    }
    std::ranges::copy(texts[i], packed.begin() + static_cast<ptrdiff_t>(i * width));
  }
  return packed;
}

}  // namespace

Dataset Dataset::create(hid_t parent,
                        const std::string& name,
                        const std::string& where,
                        const DatasetLayout& layout) {
  check_layout(layout, where);
  const std::vector<hsize_t> chunk = chunk_shape(layout);
  std::vector<hsize_t> shape(layout.row_shape.begin(), layout.row_shape.end());
  shape.insert(shape.begin(), 0);
  std::vector<hsize_t> limit = shape;
  limit[0] = H5S_UNLIMITED;
  const auto dimensions = static_cast<int>(shape.size());
  const Handle space(H5Screate_simple(dimensions, shape.data(), limit.data()), H5Sclose);
  const Handle type = element_type(layout.element, layout.text_bytes);
  const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_chunk(properties.id(), dimensions, chunk.data());
  // Rows are only ever written whole, so filling a chunk first would write everything twice.
  H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER);
  // Files of the same content have the same bytes, whenever they were written.
  H5Pset_obj_track_times(properties.id(), false);
  if (layout.compression > 0) {
    H5Pset_shuffle(properties.id());
    H5Pset_deflate(properties.id(), static_cast<unsigned>(layout.compression));
  }
  Handle handle(checked(ErrorKind::kEnvironment, where, "create the dataset",
                        [&] {
                          return H5Dcreate2(parent, name.c_str(), type.id(), space.id(),
                                            H5P_DEFAULT, properties.id(), H5P_DEFAULT);
                        }),
                H5Dclose);
  return {std::move(handle), where};
}

Dataset::Dataset(Handle handle, std::string place) : Object(std::move(handle), std::move(place)) {
  const Handle type(H5Dget_type(id()), H5Tclose);
  element_ = element_of_type(type.id(), where(), text_bytes_);
  const Handle space(H5Dget_space(id()), H5Sclose);
  const int dimensions = H5Sget_simple_extent_ndims(space.id());
  if (dimensions < 1) throw Error(ErrorKind::kInput, fmt::format("{}: expected rows", where()));
  std::vector<hsize_t> shape(static_cast<size_t>(dimensions));
  H5Sget_simple_extent_dims(space.id(), shape.data(), nullptr);
  row_shape_.assign(shape.begin() + 1, shape.end());
  for (const int64_t dimension : row_shape_) row_elements_ *= dimension;
}

int64_t Dataset::rows() const {
  const Handle space(H5Dget_space(id()), H5Sclose);
  std::vector<hsize_t> shape(row_shape_.size() + 1);
  checked(ErrorKind::kInput, where(), "read the shape",
          [&] { return H5Sget_simple_extent_dims(space.id(), shape.data(), nullptr); });
  return static_cast<int64_t>(shape[0]);
}

size_t Dataset::elements(int64_t row_count) const {
  return static_cast<size_t>(std::max<int64_t>(row_count, 0) * row_elements_);
}

void Dataset::check_element(Element element, std::string_view action) const {
  const bool as_float = element == Element::kF32 && element_ == Element::kF16;
  if (element != element_ && !as_float) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: holds {}, cannot be {} as {}", where(), element_name(element_),
                            action, element_name(element)));
  }
}

Handle Dataset::select_rows(int64_t first, int64_t count) const {
  Handle space(H5Dget_space(id()), H5Sclose);
  std::vector<hsize_t> begin(row_shape_.size() + 1, 0);
  std::vector<hsize_t> extent(row_shape_.begin(), row_shape_.end());
  begin[0] = static_cast<hsize_t>(first);
  extent.insert(extent.begin(), static_cast<hsize_t>(count));
  H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, begin.data(), nullptr, extent.data(), nullptr);
  return space;
}

Handle Dataset::memory_space(int64_t count) const {
  const hsize_t size = elements(count);
  return {H5Screate_simple(1, &size, nullptr), H5Sclose};
}

int64_t Dataset::whole_rows(Element element, size_t count) const {
  check_element(element, "written");
  const auto total = static_cast<int64_t>(count);
  if (total % row_elements_ != 0) {
    throw Error(ErrorKind::kInput, fmt::format("{}: {} elements are no whole rows of {}", where(),
                                               total, row_elements_));
  }
  return total / row_elements_;
}

void Dataset::append_elements(Element element, const void* data, size_t count) {
  const int64_t added = whole_rows(element, count);
  if (added == 0) return;
  const int64_t before = rows();
  const auto resize = [&](int64_t count_rows) {
    std::vector<hsize_t> shape(row_shape_.begin(), row_shape_.end());
    shape.insert(shape.begin(), static_cast<hsize_t>(count_rows));
    checked(ErrorKind::kEnvironment, where(), "grow the dataset",
            [&] { return H5Dset_extent(id(), shape.data()); });
  };
  resize(before + added);
  try {
    overwrite_elements(before, element, data, count);
  } catch (const Error&) {
    resize(before);  // rows that were refused leave nothing behind
    throw;
  }
}

void Dataset::overwrite_elements(int64_t first, Element element, const void* data, size_t count) {
  const int64_t written = whole_rows(element, count);
  if (first < 0 || written > rows() - first) {
    throw Error(ErrorKind::kInput, fmt::format("{}: rows [{}, {} + {}) of {}", where(), first,
                                               first, written, rows()));
  }
  if (written == 0) return;
  std::vector<char> texts;
  std::vector<uint16_t> halves;
  if (element == Element::kText) {
    texts = pack_texts({static_cast<const std::string*>(data), count}, text_bytes_, where());
    data = texts.data();
  } else if (element != element_) {
    halves.resize(count);
    floats_to_halves({static_cast<const float*>(data), count}, halves);
    data = halves.data();
  }
  const Handle target = select_rows(first, written);
  const Handle source = memory_space(written);
  const Handle type = element_type(element_, text_bytes_);
  checked(ErrorKind::kEnvironment, where(), "write rows",
          [&] { return H5Dwrite(id(), type.id(), source.id(), target.id(), H5P_DEFAULT, data); });
}

void Dataset::read_elements(Element element, void* data, int64_t first, int64_t count) const {
  check_element(element, "read");
  const int64_t present = rows();
  if (first < 0 || count < 0 || first > present || count > present - first) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: rows [{}, {} + {}) of {}", where(), first, first, count, present));
  }
  if (count == 0) return;

  const size_t total = elements(count);
  std::vector<char> texts;
  std::vector<uint16_t> halves;
  void* target = data;
  if (element == Element::kText) {
    texts.resize(total * static_cast<size_t>(text_bytes_));
    target = texts.data();
  } else if (element != element_) {
    halves.resize(total);
    target = halves.data();
  }
  const Handle source = select_rows(first, count);
  const Handle memory = memory_space(count);
  // Fixed texts are read with the file's own type: another padding or character set is not ours to
  // change.
  const Handle type = element == Element::kText ? Handle(H5Dget_type(id()), H5Tclose)
                                                : element_type(element_, text_bytes_);
  checked(ErrorKind::kInput, where(), "read rows",
          [&] { return H5Dread(id(), type.id(), memory.id(), source.id(), H5P_DEFAULT, target); });
  if (element == Element::kText) {
    auto* strings = static_cast<std::string*>(data);
    const auto width = static_cast<size_t>(text_bytes_);
    for (size_t i = 0; i < total; ++i) {
      const char* begin = &texts[i * width];
      strings[i].assign(begin, strnlen(begin, width));
    }
  } else if (element != element_) {
    halves_to_floats(halves, {static_cast<float*>(data), total});
  }
}

}  // namespace kvscope::hdf5
