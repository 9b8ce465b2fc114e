#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/config/value.h"

namespace kvscope {

class PlacedNode;
using Placed = std::shared_ptr<const PlacedNode>;

/// A node of a config tree with where it stands in it, as interpolations need to know. Trees that
/// are only pointed to must outlive it.
class PlacedNode : public std::enable_shared_from_this<PlacedNode> {
 public:
  /// The root of a tree.
  static Placed root(const ConfigNode& tree);
  /// A tree of its own, made while interpolations are evaluated, that stands at `parent`.`key`.
  static Placed made(ConfigNode tree, Placed parent, std::string key);
  /// What a resolver or a text gave: nothing inside it is an interpolation or can be referred to.
  static Placed result(ConfigNode value, Placed parent, std::string key);

  [[nodiscard]] const ConfigNode& node() const { return *node_; }
  [[nodiscard]] const Placed& parent() const { return parent_; }
  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] bool is_container() const { return !is_result_ && node_->is_container(); }
  [[nodiscard]] bool is_interpolation() const { return !is_result_ && node_->is_interpolation(); }
  [[nodiscard]] bool is_missing() const { return !is_result_ && node_->is_missing(); }

  /// The i-th item of this list, or value of this map.
  [[nodiscard]] Placed at(size_t i) const;
  /// The key of this map, or item of this list; null pointer where it is not there. Throws
  /// Error(kConfig) where a list is asked for what is no index.
  [[nodiscard]] Placed child(const std::string& key) const;
  /// "a.b.0" from the root of its tree.
  [[nodiscard]] std::string path() const;

  PlacedNode() = default;

 private:
  const ConfigNode* node_ = nullptr;
  std::shared_ptr<const ConfigNode> owned_;
  Placed parent_;
  std::string key_;
  bool is_result_ = false;
};

/// A single value where more keys follow.
class NotAContainer : public Error {
 public:
  using Error::Error;
};

}  // namespace kvscope
