#include "core/base/byte_size.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr std::array<std::pair<const char*, double>, 10> kUnits = {{{"B", 1},
                                                                    {"kB", 1e3},
                                                                    {"KB", 1e3},
                                                                    {"MB", 1e6},
                                                                    {"GB", 1e9},
                                                                    {"TB", 1e12},
                                                                    {"KiB", 1024.0},
                                                                    {"MiB", 1048576.0},
                                                                    {"GiB", 1073741824.0},
                                                                    {"TiB", 1099511627776.0}}};

}  // namespace

std::optional<double> bytes_of_unit(const std::string& unit) {
  for (const auto& [name, bytes] : kUnits) {
    if (unit == name) return bytes;
  }
  return std::nullopt;
}

std::vector<std::string> byte_units() {
  std::vector<std::string> names;
  names.reserve(kUnits.size());
  for (const auto& [name, bytes] : kUnits) names.emplace_back(name);
  return names;
}

double bytes_of_text(const std::string& where, const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc() || !std::isfinite(number)) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("{}={}: expected a number of bytes such as 600MiB or 1.5GB", where, text));
  }
  while (rest != end && *rest == ' ') ++rest;
  const std::string unit(rest, end);
  const std::optional<double> factor = unit.empty() ? 1 : bytes_of_unit(unit);
  if (factor) return std::floor(number * *factor);
  throw Error(ErrorKind::kConfig, fmt::format("{}={}: unknown unit '{}'. {}", where, text, unit,
                                              suggestion(unit, byte_units())));
}

std::string exact_bytes_text(double bytes) {
  for (const char* unit : {"GiB", "GB", "MiB", "MB", "KiB", "kB"}) {
    const double amount = bytes / *bytes_of_unit(unit);
    if (amount >= 1 && amount * 100 == std::floor(amount * 100)) {
      return fmt::format("{:.10g} {}", amount, unit);
    }
  }
  return fmt::format("{:.0f} B", bytes);
}

}  // namespace kvscope
