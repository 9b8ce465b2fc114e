#include "core/config/placed_node.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "core/config/number_text.h"

namespace kvscope {

Placed PlacedNode::root(const ConfigNode& tree) {
  auto placed = std::make_shared<PlacedNode>();
  placed->node_ = &tree;
  return placed;
}

Placed PlacedNode::made(ConfigNode tree, Placed parent, std::string key) {
  auto placed = std::make_shared<PlacedNode>();
  placed->owned_ = std::make_shared<const ConfigNode>(std::move(tree));
  placed->node_ = placed->owned_.get();
  placed->parent_ = std::move(parent);
  placed->key_ = std::move(key);
  return placed;
}

Placed PlacedNode::result(ConfigNode value, Placed parent, std::string key) {
  auto placed = std::make_shared<PlacedNode>();
  placed->owned_ = std::make_shared<const ConfigNode>(std::move(value));
  placed->node_ = placed->owned_.get();
  placed->parent_ = std::move(parent);
  placed->key_ = std::move(key);
  placed->is_result_ = true;
  return placed;
}

Placed PlacedNode::at(size_t i) const {
  auto placed = std::make_shared<PlacedNode>();
  placed->parent_ = shared_from_this();
  if (node_->is_list()) {
    placed->node_ = &node_->items()[i];
    placed->key_ = std::to_string(i);
  } else {
    placed->node_ = &node_->entries()[i].value;
    placed->key_ = node_->entries()[i].name;
  }
  return placed;
}

Placed PlacedNode::child(const std::string& key) const {
  if (node_->is_list()) {
    const std::optional<ConfigNode> index = integer_of_text(key);
    if (!index) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("'{}' is no index of the list '{}'", key, path()));
    }
    const double position = index->as_double();
    const bool inside = position >= 0 && position < static_cast<double>(node_->size());
    return inside ? at(static_cast<size_t>(index->as_int64())) : nullptr;
  }
  for (size_t i = 0; i < node_->size(); ++i) {
    const ConfigEntry& entry = node_->entries()[i];
    if (entry.key_kind == ConfigKind::kString && entry.name == key) return at(i);
  }
  return nullptr;
}

std::string PlacedNode::path() const {
  if (!parent_) return key_;
  const std::string above = parent_->path();
  return above.empty() ? key_ : above + "." + key_;
}

}  // namespace kvscope
