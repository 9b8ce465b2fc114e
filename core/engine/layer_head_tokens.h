#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

namespace kvscope {

/// Tokens of every (layer, head), [layers][heads], in one block: a plan holds one of these for
/// every step, and a next-token model has hundreds of steps.
class LayerHeadTokens {
 public:
  LayerHeadTokens() = default;
  LayerHeadTokens(int64_t layers, int64_t heads, int64_t tokens);
  /// One list a layer. Throws Error(kAudit) where layers differ in their heads.
  LayerHeadTokens(std::initializer_list<std::initializer_list<int64_t>> layers);
  LayerHeadTokens(const std::vector<std::vector<int64_t>>& layers);  // NOLINT: the same counts

  /// The heads of a layer are alike: [layers] tokens of each of its `heads` heads.
  static LayerHeadTokens of_layers(std::span<const int64_t> tokens, int64_t heads);

  [[nodiscard]] int64_t layers() const { return layers_; }
  [[nodiscard]] int64_t heads() const { return heads_; }
  /// [heads] of a layer; `layer` is not checked.
  std::span<int64_t> operator[](size_t layer) {
    return std::span(tokens_).subspan(layer * heads_, heads_);
  }
  std::span<const int64_t> operator[](size_t layer) const {
    return std::span(tokens_).subspan(layer * heads_, heads_);
  }
  /// The same; throws std::out_of_range.
  [[nodiscard]] std::span<const int64_t> at(int64_t layer) const;
  /// [layers * heads], layer by layer.
  [[nodiscard]] std::span<int64_t> all() { return tokens_; }
  [[nodiscard]] std::span<const int64_t> all() const { return tokens_; }

  bool operator==(const LayerHeadTokens&) const = default;

 private:
  int64_t layers_ = 0;
  int64_t heads_ = 0;
  std::vector<int64_t> tokens_;
};

}  // namespace kvscope
