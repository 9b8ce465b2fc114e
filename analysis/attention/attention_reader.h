#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/attention/attention_record.h"
#include "core/base/error.h"
#include "core/hdf5/file.h"

namespace kvscope {

/// Reads datasets of an attention file after checking that they have the shape that is promised
/// and that the file is large enough for what they claim: nothing is compressed. All throw
/// Error(kInput) naming the object.
class AttentionReader {
 public:
  AttentionReader(const hdf5::Group& root, uint64_t file_bytes)
      : root_(root), file_bytes_(file_bytes) {}

  [[nodiscard]] const hdf5::Group& root() const { return root_; }

  template <class T>
  [[nodiscard]] std::vector<T> read(const std::string& name,
                                    const std::vector<int64_t>& shape) const {
    const hdf5::Dataset dataset = root_.dataset(name);
    check_shape(dataset, shape);
    return dataset.read<T>();
  }
  /// Numbers of f16 or f32.
  [[nodiscard]] std::vector<double> doubles(const std::string& name,
                                            const std::vector<int64_t>& shape) const;
  /// Integers along one dimension of unknown length.
  [[nodiscard]] std::vector<int64_t> integers(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> texts(const std::string& name) const;

 private:
  void check_shape(const hdf5::Dataset& dataset, const std::vector<int64_t>& shape) const;
  void check_size(const hdf5::Dataset& dataset, const std::vector<int64_t>& shape) const;

  const hdf5::Group& root_;
  uint64_t file_bytes_;
};

/// The attribute `name` as a T, int64_t or a text among others.
template <class T>
T attention_attribute(const hdf5::Object& object, const std::string& name) {
  const hdf5::AttributeValue value = object.attribute(name);
  if (const T* content = std::get_if<T>(&value)) return *content;
  throw Error(ErrorKind::kInput, fmt::format("{}@{}: has another type than attention files write",
                                             object.where(), name));
}

/// Names of the datasets that say what the steps are.
struct StepPlaces {
  std::string kind{};
  std::string height{};
  std::string width{};
  std::string first_token{};
  std::string stored{};
};

/// Steps that follow each other from token 0.
std::vector<StepInfo> read_steps(const AttentionReader& reader, const StepPlaces& places);

}  // namespace kvscope
