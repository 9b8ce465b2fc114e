#include "core/engine/layer_head_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

/// The counts of lists of equal length, one after the other.
template <typename Lists>
std::vector<int64_t> flattened(const Lists& layers, int64_t heads) {
  std::vector<int64_t> tokens;
  tokens.reserve(layers.size() * static_cast<size_t>(heads));
  for (const auto& layer : layers) {
    if (std::ssize(layer) != heads) {
      throw Error(ErrorKind::kAudit,
                  fmt::format("plan: counts for {} heads in layer 0 and for {} in a later one",
                              heads, layer.size()));
    }
    tokens.insert(tokens.end(), layer.begin(), layer.end());
  }
  return tokens;
}

}  // namespace

LayerHeadTokens::LayerHeadTokens(int64_t layers, int64_t heads, int64_t tokens)
    : layers_(layers), heads_(heads), tokens_(static_cast<size_t>(layers * heads), tokens) {}

LayerHeadTokens::LayerHeadTokens(std::initializer_list<std::initializer_list<int64_t>> layers)
    : layers_(std::ssize(layers)),
      heads_(layers.size() == 0 ? 0 : std::ssize(*layers.begin())),
      tokens_(flattened(layers, heads_)) {}

LayerHeadTokens::LayerHeadTokens(const std::vector<std::vector<int64_t>>& layers)
    : layers_(std::ssize(layers)),
      heads_(layers.empty() ? 0 : std::ssize(layers.front())),
      tokens_(flattened(layers, heads_)) {}

std::span<const int64_t> LayerHeadTokens::at(int64_t layer) const {
  if (std::cmp_greater_equal(layer, layers_) || layer < 0) {
    throw std::out_of_range(fmt::format("layer {} of {}", layer, layers_));
  }
  return (*this)[static_cast<size_t>(layer)];
}

LayerHeadTokens LayerHeadTokens::of_layers(std::span<const int64_t> tokens, int64_t heads) {
  LayerHeadTokens counts(std::ssize(tokens), heads, 0);
  for (size_t layer = 0; layer < tokens.size(); ++layer) {
    std::ranges::fill(counts[layer], tokens[layer]);
  }
  return counts;
}

}  // namespace kvscope
