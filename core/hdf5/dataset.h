#pragma once

#include <concepts>
#include <cstdint>
#include <ranges>
#include <string>
#include <vector>

#include "core/hdf5/element.h"
#include "core/hdf5/object.h"

namespace kvscope::hdf5 {

/// How a dataset of rows is laid out.
struct DatasetLayout {
  Element element = Element::kF32;
  std::vector<int64_t> row_shape = {};  ///< of one row; empty for a column of scalars
  int64_t text_bytes = 0;               ///< width of kText
  int64_t chunk_rows = 0;               ///< 0: as many as fill about 1 MiB, at most 1024
  int compression = 0;                  ///< gzip level behind a byte shuffle; worth it only for
                                        ///< sparse or integer data
};

/// Rows of one element type, growing along the first dimension.
class Dataset : public Object {
 public:
  [[nodiscard]] Element element() const { return element_; }
  [[nodiscard]] const std::vector<int64_t>& row_shape() const { return row_shape_; }
  /// Width of kText; 0 for other elements.
  [[nodiscard]] int64_t text_bytes() const { return element_ == Element::kText ? text_bytes_ : 0; }
  /// Rows there are now.
  [[nodiscard]] int64_t rows() const;

  /// Appends whole rows and flushes: once this returns they survive kill -9, provided that nothing
  /// has been created in the file since its last flush. float rows go into f16 datasets too; any
  /// other difference of type, or part of a row, is Error(kInput). Error(kEnvironment) where the
  /// disk is full.
  template <std::ranges::contiguous_range Rows>
  requires Storable<std::ranges::range_value_t<Rows>>
  void append(const Rows& rows) {
    append_unflushed(rows);
    flush();
  }

  /// append() without the flush: for several columns of one table, followed by one flush().
  template <std::ranges::contiguous_range Rows>
  requires Storable<std::ranges::range_value_t<Rows>>
  void append_unflushed(const Rows& rows) {
    using T = std::ranges::range_value_t<Rows>;
    append_elements(element_of<T>(), std::ranges::data(rows), std::ranges::size(rows));
  }

  /// Overwrites rows there are, from `first`, without a flush: nothing in the file moves or grows,
  /// so a kill at any moment leaves it readable.
  template <std::ranges::contiguous_range Rows>
  requires Storable<std::ranges::range_value_t<Rows>>
  void overwrite_unflushed(int64_t first, const Rows& rows) {
    using T = std::ranges::range_value_t<Rows>;
    overwrite_elements(first, element_of<T>(), std::ranges::data(rows), std::ranges::size(rows));
  }

  /// `count` rows from `first` as one flat array; T is the dataset's type, or float for f16.
  template <Storable T>
  [[nodiscard]] std::vector<T> read_rows(int64_t first, int64_t count) const {
    std::vector<T> values(elements(count));
    read_elements(element_of<T>(), values.data(), first, count);
    return values;
  }
  template <Storable T>
  [[nodiscard]] std::vector<T> read() const {
    return read_rows<T>(0, rows());
  }

  /// Makes this dataset of one dimension the dimension scale `name`, what stands along an axis, as
  /// the HDF5 dimension scale specification says and h5py shows. Throws Error(kEnvironment).
  void make_scale(const std::string& name);
  /// Names a dimension, from 0. Throws Error(kEnvironment).
  void label_dimension(int64_t dimension, const std::string& label);
  /// Attaches a dataset that make_scale() was called on, behind those attached before. Throws
  /// Error(kEnvironment).
  void attach_scale(int64_t dimension, const Dataset& scale);
  /// Label of a dimension; empty where it has none. Throws Error(kInput).
  [[nodiscard]] std::string dimension_label(int64_t dimension) const;
  /// Paths in the file ("/axes/layer") of the scales attached to a dimension, in their order.
  /// Throws Error(kInput).
  [[nodiscard]] std::vector<std::string> dimension_scales(int64_t dimension) const;

 private:
  friend class Group;
  Dataset(Handle handle, std::string where);
  static Dataset create(hid_t parent,
                        const std::string& name,
                        const std::string& where,
                        const DatasetLayout& layout);

  void append_elements(Element element, const void* data, size_t count);
  void overwrite_elements(int64_t first, Element element, const void* data, size_t count);
  [[nodiscard]] int64_t whole_rows(Element element, size_t count) const;
  void read_elements(Element element, void* data, int64_t first, int64_t count) const;
  [[nodiscard]] size_t elements(int64_t row_count) const;
  void check_element(Element element, std::string_view action) const;
  [[nodiscard]] Handle select_rows(int64_t first, int64_t count) const;
  [[nodiscard]] Handle memory_space(int64_t count) const;

  Element element_ = Element::kF32;
  int64_t text_bytes_ = 0;
  int64_t row_elements_ = 1;
  std::vector<int64_t> row_shape_;
};

}  // namespace kvscope::hdf5
