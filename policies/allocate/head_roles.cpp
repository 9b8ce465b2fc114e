#include "policies/allocate/head_roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "core/base/error.h"
#include "core/base/opened_files.h"
#include "policies/option_path.h"

namespace kvscope {
namespace {

constexpr std::size_t kMost = 1024;  // layers, and heads a layer
constexpr std::uintmax_t kMostBytes = std::uintmax_t{1} << 20;

std::vector<double> numbers_of_line(const std::string& line, const std::string& where) {
  static constexpr const char* kBetween = " \t\r,";
  std::vector<double> numbers;
  for (std::size_t begin = line.find_first_not_of(kBetween); begin != std::string::npos;) {
    const std::size_t end = std::min(line.find_first_of(kBetween, begin), line.size());
    double number = 0;
    const auto read = std::from_chars(line.data() + begin, line.data() + end, number);
    if (read.ec != std::errc() || read.ptr != line.data() + end || !std::isfinite(number)) {
      throw Error(ErrorKind::kInput, fmt::format("{}: '{:.40}' is no number; expected the heads of "
                                                 "one layer, as in '0.1 0.25 0.9'",
                                                 where, line.substr(begin, end - begin)));
    }
    numbers.push_back(number);
    if (numbers.size() > kMost) {
      throw Error(ErrorKind::kInput, fmt::format("{}: more than {} heads", where, kMost));
    }
    begin = line.find_first_not_of(kBetween, end);
  }
  return numbers;
}

}  // namespace

HeadTable::HeadTable(std::vector<std::vector<double>> values, std::string source)
    : values_(std::move(values)), source_(std::move(source)) {
  const bool empty = values_.empty() || values_.front().empty();
  const auto uneven = std::find_if(values_.begin(), values_.end(), [&](const auto& layer) {
    return layer.size() != values_.front().size();
  });
  if (empty || uneven != values_.end()) {
    throw Error(
        ErrorKind::kConfig,
        empty
            ? fmt::format("{}: an empty table; expected a number for every layer and head", source_)
            : fmt::format("{}: layer {} has {} heads and layer 0 has {}", source_,
                          uneven - values_.begin(), uneven->size(), values_.front().size()));
  }
  for (const auto& layer : values_) {
    for (const double value : layer) {
      if (!std::isfinite(value)) {
        throw Error(ErrorKind::kConfig,
                    fmt::format("{}: holds {}; expected finite numbers", source_, value));
      }
    }
  }
}

void HeadTable::check(const CacheGeometry& geometry) const {
  if (heads() == geometry.heads && layers() >= geometry.layers) {
    return;
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("{}: a table of {} layers x {} heads; the model has {} x {}. Profile it: "
                          "kvscope attention heads",
                          source_, layers(), heads(), geometry.layers, geometry.heads));
}

HeadTable parse_head_table(const std::string& text, const std::string& source) {
  std::vector<std::vector<double>> values;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line.resize(std::min(line.find('#'), line.size()));
    std::vector<double> layer = numbers_of_line(line, fmt::format("{}:{}", source, number));
    if (layer.empty()) {
      continue;
    }
    values.push_back(std::move(layer));
    if (values.size() > kMost || values.back().size() != values.front().size()) {
      throw Error(
          ErrorKind::kInput,
          fmt::format("{}:{}: layer {} with {} heads; expected at most {} layers of {} heads each",
                      source, number, values.size() - 1, values.back().size(), kMost,
                      values.front().size()));
    }
  }
  if (values.empty()) {
    throw Error(ErrorKind::kInput,
                source + ": no numbers; expected a line a layer, as in '0.1 0.25 0.9'");
  }
  return {std::move(values), source};
}

HeadTable load_head_table(const std::filesystem::path& path) {
  std::error_code failure;
  const std::uintmax_t bytes = std::filesystem::is_regular_file(path, failure)
                                   ? std::filesystem::file_size(path, failure)
                                   : kMostBytes + 1;
  std::ifstream stream(path, std::ios::binary);
  if (failure || !stream || bytes > kMostBytes) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: cannot be read as a table of heads; expected a text file of at "
                            "most {} bytes, as `kvscope attention heads` writes it",
                            path.string(), kMostBytes));
  }
  OpenedFiles::note(path);
  std::string text(static_cast<std::size_t>(bytes), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return parse_head_table(text, path.string());
}

std::string head_table_text(const std::vector<std::vector<double>>& values,
                            const std::string& remark) {
  std::string text;
  std::istringstream lines(remark);
  for (std::string line; std::getline(lines, line);) text += "# " + line + "\n";
  for (const auto& layer : values) {
    const char* separator = "";
    for (const double value : layer) {
      text += fmt::format("{}{:.6g}", separator, value);
      separator = " ";
    }
    text += "\n";
  }
  return text;
}

std::optional<HeadTable> head_table_option(PartOptions& options,
                                           const std::string& key,
                                           const std::string& otherwise) {
  const ConfigNode* given = options.value(key);
  if (given == nullptr || (given->is_string() && given->as_string() == otherwise)) {
    return std::nullopt;
  }
  if (given->is_string()) {
    try {
      return load_head_table(option_path(*given));
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("{}: {}; or the word '{}'", options.place(key),
                                            error.what(), otherwise));
    }
  }
  if (!given->is_list()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: expected '{}', the path of a table, or a list of lists of numbers",
                            options.place(key), otherwise));
  }
  std::vector<std::vector<double>> values;
  for (const ConfigNode& layer : given->items()) values.push_back(layer.as_double_list());
  return HeadTable(std::move(values), options.place(key));
}

std::vector<std::vector<uint8_t>> lowest_heads(const HeadTable& table,
                                               const CacheGeometry& geometry,
                                               int64_t count) {
  table.check(geometry);
  std::vector<std::pair<int64_t, int64_t>> order;
  for (int64_t layer = 0; layer < geometry.layers; ++layer) {
    for (int64_t head = 0; head < geometry.heads; ++head) order.emplace_back(layer, head);
  }
  std::stable_sort(order.begin(), order.end(), [&](const auto& left, const auto& right) {
    return table.at(left.first, left.second) < table.at(right.first, right.second);
  });
  std::vector<std::vector<uint8_t>> is_low(
      static_cast<std::size_t>(geometry.layers),
      std::vector<uint8_t>(static_cast<std::size_t>(geometry.heads), 0));
  const auto chosen = std::clamp<int64_t>(count, 0, static_cast<int64_t>(order.size()));
  for (int64_t i = 0; i < chosen; ++i) is_low[order[i].first][order[i].second] = 1;
  return is_low;
}

}  // namespace kvscope
