#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace kvscope {

/// Tensor name -> file name of its shard, from a `*.index.json`. Throws Error(kInput) for anything
/// else than {"weight_map": {tensor: file}} with files that lie beside the index.
std::map<std::string, std::string> read_shard_index(const std::filesystem::path& index);

/// Throws Error(kInput) where a tensor of `weight_map` is not in the shard that the index says;
/// `found` is the shard of every tensor that was read.
void check_shards(const std::filesystem::path& index,
                  const std::map<std::string, std::string>& weight_map,
                  const std::map<std::string, std::string>& found);

}  // namespace kvscope
