#include "experiments/judges/judge_csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

std::vector<CsvRow> parsed(std::string_view text, const std::string& origin, char separator) {
  std::vector<CsvRow> rows;
  int64_t line = 1;
  size_t i = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (i < text.size()) {
    CsvRow row{.line = line, .cells = {""}};
    bool ended = false;
    while (!ended) {
      std::string& cell = row.cells.back();
      if (cell.empty() && i < text.size() && text[i] == '"') {
        const int64_t begin = line;
        for (++i;; ++i) {
          if (i >= text.size()) {
            throw Error(ErrorKind::kInput,
                        fmt::format("{}:{}: a quote that begins here does not end", origin, begin));
          }
          if (text[i] == '"') {
            if (i + 1 >= text.size() || text[i + 1] != '"') break;
            ++i;
          }
          if (text[i] == '\n') ++line;
          cell += text[i];
        }
        ++i;
      }
      while (i < text.size() && text[i] != separator && text[i] != '\n') cell += text[i++];
      if (i < text.size() && text[i] == separator) {
        row.cells.emplace_back();
      } else {
        if (cell.ends_with('\r')) cell.pop_back();
        ++line;
        ended = true;
      }
      ++i;
    }
    if (row.cells.size() > 1 || !row.cells.front().empty()) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

CsvTable::CsvTable(std::string_view text, std::string origin, char separator)
    : origin_(std::move(origin)), rows_(parsed(text, origin_, separator)) {
  if (rows_.empty())
    throw Error(ErrorKind::kInput, origin_ + ": empty, expected a header of columns");
  header_ = std::move(rows_.front().cells);
  rows_.erase(rows_.begin());
  for (const CsvRow& row : rows_) {
    if (row.cells.size() == header_.size()) continue;
    throw Error(ErrorKind::kInput, fmt::format("{}:{}: {} cells, where the header has {}", origin_,
                                               row.line, row.cells.size(), header_.size()));
  }
}

bool CsvTable::has(const std::string& column) const {
  return std::ranges::find(header_, column) != header_.end();
}

size_t CsvTable::column(const std::string& name) const {
  const auto found = std::ranges::find(header_, name);
  if (found == header_.end()) {
    throw Error(ErrorKind::kInput, fmt::format("{}:1: no column '{}'; there are {}", origin_, name,
                                               fmt::join(header_, ", ")));
  }
  return static_cast<size_t>(found - header_.begin());
}

}  // namespace kvscope
