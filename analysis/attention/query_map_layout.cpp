#include "analysis/attention/query_map_layout.h"

#include <algorithm>

#include "analysis/attention/attention_axes.h"

namespace kvscope {
namespace {

/// Tokens that lie side by side: one step's, or those of all steps of single tokens.
struct Grid {
  int64_t height = 0;
  int64_t width = 0;
  int64_t tokens = 0;  // the last line of a raster need not be whole
  int64_t first_step = 0;
  bool is_raster = false;
  bool is_condition = false;
};

std::vector<Grid> grids_of(const CacheGeometry& geometry) {
  std::vector<Grid> grids;
  for (const StepInfo& step : geometry.steps) {
    if (step.kind != StepKind::kToken) {
      grids.push_back({.height = step.grid_height,
                       .width = step.grid_width,
                       .tokens = step.queries(),
                       .first_step = step.index,
                       .is_condition = step.kind == StepKind::kPrefill});
      continue;
    }
    if (grids.empty() || !grids.back().is_raster) {
      grids.push_back({.first_step = step.index, .is_raster = true});
    }
    ++grids.back().tokens;
  }
  for (Grid& grid : grids) {
    if (!grid.is_raster) continue;
    grid.width = geometry.line_tokens > 0 ? geometry.line_tokens : grid.tokens;
    grid.height = (grid.tokens + grid.width - 1) / grid.width;
  }
  return grids;
}

void add_queries(const Grid& grid,
                 int64_t side,
                 std::vector<std::pair<int64_t, int64_t>>& queries) {
  const bool is_line = grid.height == 1;
  const auto lines = evenly_spaced(grid.height, side);
  const auto columns = evenly_spaced(grid.width, is_line ? side * side : side);
  for (const int64_t line : lines) {
    for (const int64_t column : columns) {
      const int64_t token = line * grid.width + column;
      if (token >= grid.tokens) continue;
      if (grid.is_raster) {
        queries.emplace_back(grid.first_step + token, 0);
      } else {
        queries.emplace_back(grid.first_step, token);
      }
    }
  }
}

void add_cells(const Grid& grid, int64_t side, QueryMapLayout& layout) {
  const int64_t longest = std::max(grid.height, grid.width);
  const int64_t pooled = grid.is_condition ? 1 : (longest + side - 1) / side;
  const int64_t across = (grid.width + pooled - 1) / pooled;
  const auto first_cell = std::ssize(layout.cells);
  for (int64_t line = 0; line < grid.height; line += pooled) {
    for (int64_t column = 0; column < grid.width; column += pooled) {
      const int64_t token = line * grid.width + column;
      if (token >= grid.tokens) continue;
      layout.cells.push_back({.on_step = grid.first_step + (grid.is_raster ? token : 0),
                              .line = line,
                              .column = column,
                              .lines = std::min(pooled, grid.height - line),
                              .columns = std::min(pooled, grid.width - column)});
    }
  }
  for (int64_t token = 0; token < grid.tokens; ++token) {
    const int64_t line = token / grid.width;
    const int64_t column = token % grid.width;
    layout.cell_of_token.push_back(first_cell + line / pooled * across + column / pooled);
  }
}

}  // namespace

QueryMapLayout QueryMapLayout::of(const CacheGeometry& geometry,
                                  int64_t query_side,
                                  int64_t key_side) {
  QueryMapLayout layout;
  const int64_t last = last_attending_step(geometry.steps);
  for (const Grid& grid : grids_of(geometry)) {
    const int64_t factor = grid.is_raster ? 2 : 1;
    add_queries(grid, factor * query_side, layout.queries);
    add_cells(grid, factor * key_side, layout);
  }
  std::erase_if(layout.queries, [&](const auto& query) { return query.first > last; });
  return layout;
}

ArrayAxis QueryMapLayout::query_axis() const {
  ArrayAxis axis{.name = "map_query", .coordinates = {{.name = "step"}, {.name = "query"}}};
  for (const auto& [step, query] : queries) {
    axis.coordinates[0].values.push_back(step);
    axis.coordinates[1].values.push_back(query);
  }
  return axis;
}

ArrayAxis QueryMapLayout::key_axis() const {
  ArrayAxis axis{.name = "map_key"};
  const auto add = [&](const char* name, int64_t MapCell::*value) {
    axis.coordinates.push_back({.name = name});
    for (const MapCell& cell : cells) axis.coordinates.back().values.push_back(cell.*value);
  };
  add("on_step", &MapCell::on_step);
  add("line", &MapCell::line);
  add("column", &MapCell::column);
  add("lines", &MapCell::lines);
  add("columns", &MapCell::columns);
  return axis;
}

}  // namespace kvscope
