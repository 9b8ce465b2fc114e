#include "experiments/explore/number_bytes.h"

#include <bit>
#include <cstdint>
#include <vector>

#include "core/hdf5/half.h"

namespace kvscope {
namespace {

static_assert(std::endian::native == std::endian::little);

template <class T>
std::string bytes_of(const std::vector<T>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
}

}  // namespace

std::string float_bytes(std::span<const double> numbers) {
  return bytes_of(std::vector<float>(numbers.begin(), numbers.end()));
}

std::string half_bytes(std::span<const double> numbers) {
  const std::vector<float> floats(numbers.begin(), numbers.end());
  std::vector<uint16_t> halves(floats.size());
  hdf5::floats_to_halves(floats, halves);
  return bytes_of(halves);
}

}  // namespace kvscope
