#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "analysis/attention/named_array.h"
#include "core/engine/plan.h"

namespace kvscope {

/// Keys that a query map counts as one: a rectangle of a grid's tokens.
struct MapCell {
  int64_t on_step = 0;  ///< that wrote its first token
  int64_t line = 0;     ///< of its first token, within the grid
  int64_t column = 0;
  int64_t lines = 1;
  int64_t columns = 1;
};

/// Which queries a query map keeps, and into which cells it pools the keys. Tokens lie in grids: a
/// scale is one, the condition tokens are one line, the raster image of a next-token model is one.
/// Of a grid at most query_side x query_side queries are kept, evenly spaced in both directions,
/// and its keys are pooled in squares until at most key_side x key_side are left. Condition tokens
/// are not pooled. A raster, which stands for all the scales, has twice these sides.
struct QueryMapLayout {
  std::vector<std::pair<int64_t, int64_t>> queries{};  ///< (step, token of the step), in order
  std::vector<MapCell> cells{};
  std::vector<int64_t> cell_of_token{};  ///< [all tokens] index of cells

  /// Requires sides from 1 on.
  static QueryMapLayout of(const CacheGeometry& geometry, int64_t query_side, int64_t key_side);

  /// "map_query": coordinates step and query.
  [[nodiscard]] ArrayAxis query_axis() const;
  /// "map_key": coordinates on_step, line, column, lines and columns, as in MapCell.
  [[nodiscard]] ArrayAxis key_axis() const;
};

}  // namespace kvscope
