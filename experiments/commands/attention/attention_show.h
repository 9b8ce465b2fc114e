#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kvscope {

struct AttentionShowOptions {
  std::filesystem::path file{};   ///< attention.h5 of `kvscope attention record`
  std::string name{};             ///< of an array; empty: what the file holds
  std::string rows{};             ///< a coordinate; empty: as array_view.h chooses
  std::string columns{};          ///< likewise
  std::vector<std::string> at{};  ///< NAME=VALUE
  std::string of = "mean";        ///< or deviation, interval, the number of an image
  bool json = false;              ///< one JSON object instead of text
  std::filesystem::path out{};    ///< heat map, or the numbers as *.csv; empty: none
};

/// `kvscope attention show`: what a record holds, or one array as a table on the console and a heat
/// map in options.out, averaged over what does not fit, which is said; what is too long to be read
/// stands in options.out alone, where that is given. Returns the exit code.
/// Throws Error(kInput) for a missing or damaged file or an array it does not hold, Error(kConfig)
/// for coordinates that the array lacks and other endings of options.out.
int attention_show_command(const AttentionShowOptions& options);

}  // namespace kvscope
