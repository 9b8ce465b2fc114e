#pragma once

#include <filesystem>
#include <span>

#include "experiments/sweep/point.h"

namespace kvscope {

/// Draws the tokens that stay after every step in every layer, mean over heads, as a layer x step
/// map: FILE.svg, .png or .pdf, or the numbers as .csv.
void write_plan_map(const Point& point, const std::filesystem::path& out);

/// Draws the KV bytes that gen.batch images hold after every step, a line per point, likewise.
void write_plan_curve(std::span<const Point> points, const std::filesystem::path& out);

}  // namespace kvscope
