#include "core/checkpoint/shard_index.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/json_finding.h"
#include "core/base/opened_files.h"

namespace kvscope {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}", path.string(), what));
}

}  // namespace

std::map<std::string, std::string> read_shard_index(const std::filesystem::path& index) {
  std::ifstream stream(index, std::ios::binary);
  if (!stream || !std::filesystem::is_regular_file(index)) {
    refuse(index, "cannot open for reading");
  }
  OpenedFiles::note(index);
  // Nesting is cut by the callback, so a hostile index builds nothing deep.
  constexpr int kMaxDepth = 8;
  const auto limit = [&index](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > kMaxDepth) refuse(index, "nested too deeply for a shard index");
    return true;
  };
  std::map<std::string, std::string> weight_map;
  try {
    const nlohmann::json json = nlohmann::json::parse(stream, limit);
    weight_map = json.at("weight_map").get<std::map<std::string, std::string>>();
  } catch (const nlohmann::json::exception& error) {
    refuse(index,
           fmt::format("expected {{\"weight_map\": {{tensor: file}}}}: {}", json_finding(error)));
  }
  for (const auto& [name, shard] : weight_map) {
    // A shard lies beside its index; a name with a folder in it could reach any file.
    if (shard.empty() || std::filesystem::path(shard).filename() != shard || shard == "..") {
      refuse(index, fmt::format("tensor '{}': '{}' is no file name", name, shard));
    }
  }
  return weight_map;
}

void check_shards(const std::filesystem::path& index,
                  const std::map<std::string, std::string>& weight_map,
                  const std::map<std::string, std::string>& found) {
  for (const auto& [name, shard] : weight_map) {
    const auto place = found.find(name);
    if (place == found.end() || place->second != shard) {
      refuse(index, fmt::format("tensor '{}' is not in '{}' as the index says", name, shard));
    }
  }
}

}  // namespace kvscope
