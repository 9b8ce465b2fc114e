#include "core/models/infinity/config.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "core/base/error.h"
#include "core/models/require_geometry.h"

namespace kvscope::infinity {

int64_t TransformerConfig::ffn_width() const {
  if (feed_forward_width > 0) return feed_forward_width;
  // nearbyint rounds halves to even, as Python's round, from which the published widths come.
  return static_cast<int64_t>(std::nearbyint(static_cast<double>(width) * 4 / 256)) * 256;
}

int64_t TransformerConfig::pool_heads() const {
  return width <= 4096 ? text_channels / 128 : text_channels / 64;
}

void TransformerConfig::check() const {
  require_geometry(depth > 0 && chunks > 0 && depth % chunks == 0,
                   fmt::format("depth {} must be a positive multiple of chunks {}", depth, chunks));
  require_geometry(heads > 0 && width > 0 && width % heads == 0,
                   fmt::format("width {} must be a multiple of heads {}", width, heads));
  require_geometry(
      head_dim() % 4 == 0,
      fmt::format("head_dim {} = width / heads must be a multiple of 4 (2-D RoPE)", head_dim()));
  require_geometry(code_bits > 0 && code_bits <= 64,
                   fmt::format("code_bits {} not in 1..64", code_bits));
  require_geometry(
      text_channels >= 128 && width % pool_heads() == 0,
      fmt::format("width {} must be a multiple of the {} text pooling heads (text_channels / 128)",
                  width, text_channels >= 128 ? pool_heads() : 0));
  require_geometry(text_max_tokens > 0, "text_max_tokens must be positive");
}

std::pair<int64_t, int64_t> ImageGeometry::latent(int64_t si, bool patchify) const {
  const auto [height, width] = schedule.at(static_cast<size_t>(si));
  return patchify ? std::pair{2 * height, 2 * width} : std::pair{height, width};
}

namespace {

// 13 scales a ratio; pixel budgets take a prefix. Keys are h/w; reciprocals transpose.
const std::map<double, Schedule>& base_schedules() {
  static const std::map<double, Schedule> schedules = {
      {1.0,
       {{1, 1},
        {2, 2},
        {4, 4},
        {6, 6},
        {8, 8},
        {12, 12},
        {16, 16},
        {20, 20},
        {24, 24},
        {32, 32},
        {40, 40},
        {48, 48},
        {64, 64}}},
      {1.25,
       {{1, 1},
        {2, 2},
        {3, 3},
        {5, 4},
        {10, 8},
        {15, 12},
        {20, 16},
        {25, 20},
        {30, 24},
        {35, 28},
        {45, 36},
        {55, 44},
        {70, 56}}},
      {1.333,
       {{1, 1},
        {2, 2},
        {4, 3},
        {8, 6},
        {12, 9},
        {16, 12},
        {20, 15},
        {24, 18},
        {28, 21},
        {36, 27},
        {48, 36},
        {60, 45},
        {72, 54}}},
      {1.5,
       {{1, 1},
        {2, 2},
        {3, 2},
        {6, 4},
        {9, 6},
        {15, 10},
        {21, 14},
        {27, 18},
        {33, 22},
        {39, 26},
        {48, 32},
        {63, 42},
        {78, 52}}},
      {1.75,
       {{1, 1},
        {2, 2},
        {3, 3},
        {7, 4},
        {11, 6},
        {14, 8},
        {21, 12},
        {28, 16},
        {35, 20},
        {42, 24},
        {56, 32},
        {70, 40},
        {84, 48}}},
      {2.0,
       {{1, 1},
        {2, 2},
        {4, 2},
        {6, 3},
        {10, 5},
        {16, 8},
        {22, 11},
        {30, 15},
        {38, 19},
        {46, 23},
        {60, 30},
        {74, 37},
        {90, 45}}},
      {2.5,
       {{1, 1},
        {2, 2},
        {5, 2},
        {10, 4},
        {15, 6},
        {20, 8},
        {25, 10},
        {30, 12},
        {40, 16},
        {50, 20},
        {65, 26},
        {80, 32},
        {100, 40}}},
      {3.0,
       {{1, 1},
        {2, 2},
        {6, 2},
        {9, 3},
        {15, 5},
        {21, 7},
        {27, 9},
        {36, 12},
        {45, 15},
        {54, 18},
        {72, 24},
        {90, 30},
        {111, 37}}},
  };
  return schedules;
}

// Template ratio -> (base ratio, transposed): reciprocal keys are floor(1000 / ratio) / 1000.
std::map<double, std::pair<double, bool>> ratio_templates() {
  std::map<double, std::pair<double, bool>> templates;
  for (const auto& [ratio, schedule] : base_schedules()) {
    templates[ratio] = {ratio, false};
    if (ratio != 1.0) templates[std::floor(1000.0 / ratio) / 1000.0] = {ratio, true};
  }
  return templates;
}

}  // namespace

std::vector<double> published_ratios() {
  std::vector<double> ratios;
  for (const auto& [ratio, base] : ratio_templates()) ratios.push_back(ratio);
  return ratios;
}

ImageGeometry published_geometry(double height_over_width, const std::string& pixels) {
  static const std::map<std::string, size_t> lengths = {
      {"0.06M", 7}, {"0.25M", 10}, {"0.60M", 12}, {"1M", 13}};
  const auto length = lengths.find(pixels);
  if (length == lengths.end()) {
    throw Error(ErrorKind::kConfig, "unknown pixel budget '" + pixels + "'. " +
                                        suggestion(pixels, {"0.06M", "0.25M", "0.60M", "1M"}));
  }
  if (!(height_over_width > 0) || !std::isfinite(height_over_width)) {
    throw Error(ErrorKind::kConfig,
                fmt::format("aspect ratio h/w must be positive, not {}", height_over_width));
  }
  const auto templates = ratio_templates();
  auto nearest = templates.begin();
  for (auto it = templates.begin(); it != templates.end(); ++it) {
    if (std::abs(it->first - height_over_width) < std::abs(nearest->first - height_over_width)) {
      nearest = it;
    }
  }
  const auto [base, transposed] = nearest->second;
  Schedule schedule = base_schedules().at(base);
  if (transposed) {
    for (auto& [height, width] : schedule) std::swap(height, width);
  }
  ImageGeometry geometry;
  geometry.rope_grid = schedule.back();
  schedule.resize(length->second);
  geometry.schedule = std::move(schedule);
  return geometry;
}

TransformerConfig published_transformer(const std::string& name) {
  struct Row {
    int64_t depth, width, heads, chunks, bits;
    bool patchify;
  };
  static const std::map<std::string, Row> rows = {
      {"infinity_layer12", {12, 768, 8, 4, 16, false}},
      {"infinity_layer16", {16, 1152, 12, 4, 32, false}},
      {"infinity_layer24", {24, 1536, 16, 4, 32, false}},
      {"infinity_layer32", {32, 2080, 20, 4, 32, false}},
      {"infinity_layer40", {40, 2688, 24, 4, 32, false}},
      {"infinity_layer48", {48, 3360, 28, 4, 32, false}},
      {"infinity_2b", {32, 2048, 16, 8, 32, false}},
      {"infinity_8b", {40, 3584, 28, 8, 14, true}},
  };
  const auto row = rows.find(name);
  if (row == rows.end()) {
    std::vector<std::string> known;
    for (const auto& [key, value] : rows) known.push_back(key);
    throw Error(ErrorKind::kConfig,
                "unknown Infinity size '" + name + "'. " + suggestion(name, known));
  }
  TransformerConfig config;
  config.depth = row->second.depth;
  config.width = row->second.width;
  config.heads = row->second.heads;
  config.chunks = row->second.chunks;
  config.code_bits = row->second.bits;
  config.patchify = row->second.patchify;
  return config;
}

VaeConfig published_vae(int64_t code_bits, bool patchify) {
  VaeConfig config;
  config.code_bits = code_bits;
  if (patchify) config.channel_multipliers = {1, 2, 4, 4};
  return config;
}

}  // namespace kvscope::infinity
