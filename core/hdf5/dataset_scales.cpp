// Dimension scales of datasets, through the library's H5DS functions.
#include <hdf5_hl.h>

#include <array>

#include "core/hdf5/call.h"
#include "core/hdf5/dataset.h"

namespace kvscope::hdf5 {
namespace {

/// Appends the path of a scale to the std::vector<std::string> at `paths`.
herr_t note_path(hid_t /*dataset*/, unsigned /*dimension*/, hid_t scale, void* paths) {
  std::array<char, 1024> name{};
  if (H5Iget_name(scale, name.data(), name.size()) <= 0) return -1;
  static_cast<std::vector<std::string>*>(paths)->emplace_back(name.data());
  return 0;
}

}  // namespace

void Dataset::make_scale(const std::string& name) {
  checked(ErrorKind::kEnvironment, where(), "make it a dimension scale",
          [&] { return H5DSset_scale(id(), name.c_str()); });
}

void Dataset::label_dimension(int64_t dimension, const std::string& label) {
  checked(ErrorKind::kEnvironment, where(), "label a dimension",
          [&] { return H5DSset_label(id(), static_cast<unsigned>(dimension), label.c_str()); });
}

void Dataset::attach_scale(int64_t dimension, const Dataset& scale) {
  checked(ErrorKind::kEnvironment, where(), "attach a dimension scale",
          [&] { return H5DSattach_scale(id(), scale.id(), static_cast<unsigned>(dimension)); });
}

std::string Dataset::dimension_label(int64_t dimension) const {
  std::array<char, 256> label{};
  checked(ErrorKind::kInput, where(), "read the label of a dimension", [&] {
    return H5DSget_label(id(), static_cast<unsigned>(dimension), label.data(), label.size());
  });
  return label.data();
}

std::vector<std::string> Dataset::dimension_scales(int64_t dimension) const {
  std::vector<std::string> paths;
  const auto number = static_cast<unsigned>(dimension);
  const int count = checked(ErrorKind::kInput, where(), "count the scales of a dimension",
                            [&] { return H5DSget_num_scales(id(), number); });
  if (count == 0) return paths;  // iterating over none is an error to the library
  int first = 0;
  checked(ErrorKind::kInput, where(), "read the scales of a dimension",
          [&] { return H5DSiterate_scales(id(), number, &first, note_path, &paths); });
  return paths;
}

}  // namespace kvscope::hdf5
