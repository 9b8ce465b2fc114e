#include "policies/profiles/head_roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "core/base/error.h"
#include "core/config/path.h"
#include "policies/profiles/profile_option.h"

namespace kvscope {

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

HeadTable::HeadTable(Profile profile)
    : HeadTable(std::move(profile.values), fmt::format("the profile at {}", profile.place)) {
  profile.values.clear();
  profile_ = std::move(profile);
}

void HeadTable::check(const CacheGeometry& geometry) const {
  if (profile_) check_profile(*profile_, geometry);
  if (heads() == geometry.heads && layers() >= geometry.layers) {
    return;
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("{}: a table of {} layers x {} heads; the model has {} x {}. Profile it: "
                          "kvscope attention heads",
                          source_, layers(), heads(), geometry.layers, geometry.heads));
}

const ConfigNode* head_table_node(Options& options, const HeadTableKey& key) {
  const std::string& words = key.words.empty() ? key.otherwise : key.words;
  return options.value({.key = key.key,
                        .accepts = words + " | the path of a profile | a list [layers][heads]",
                        .default_value = ConfigNode(key.otherwise),
                        .help = key.help,
                        .is_text = true});
}

std::optional<HeadTable> head_table_option(Options& options,
                                           const HeadTableKey& table_key,
                                           ProfileKind kind) {
  const std::string& key = table_key.key;
  const std::string& otherwise = table_key.otherwise;
  const ConfigNode* given = head_table_node(options, table_key);
  if (given == nullptr || (given->is_string() && given->as_string() == otherwise)) {
    return std::nullopt;
  }
  if (given->is_string()) {
    std::error_code ignored;
    if (!std::filesystem::exists(path_of(*given), ignored)) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: no file '{}'; expected the path of a profile or the word '{}'",
                              options.place(key), given->as_string(), otherwise));
    }
    return HeadTable(profile_of_option(*given, options.place(key), kind));
  }
  if (!given->is_list()) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("{}: expected '{}', the path of a profile, or a list of lists of numbers",
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
