#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/models/model_memory.h"
#include "experiments/sweep/point.h"

namespace kvscope {

/// What a point takes of its device's memory while gen.batch images are made.
struct PointMemory {
  ModelMemory model;
  int64_t arena_bytes = 0;    ///< the KV cache's
  int64_t waiting_bytes = 0;  ///< a step's K and V of all layers, under gen.cuts=per_step

  [[nodiscard]] int64_t total_bytes() const;
  [[nodiscard]] bool fits(double limit_bytes) const;
};

/// Of `images` images at once.
PointMemory point_memory(const Point& point, int64_t images);

/// Lines of `kvscope plan`: weights by part, activations by phase, the sum.
std::string memory_text(const Point& point, const PointMemory& memory);

/// Whether `memory` fits `limit_bytes`, in words, and where it does not by how much, and the
/// largest gen.batch that does.
std::string fit_text(const Point& point, const PointMemory& memory, double limit_bytes);

/// The same in a cell of a table: "yes", "no, 1.20 GiB too much".
std::string fit_cell(const PointMemory& memory, double limit_bytes);

/// The bytes that --fits names. Throws Error(kConfig) for what is no size, or none at all.
double memory_limit(const std::string& text);

/// "1.25 GiB", "17.00 MiB".
std::string short_bytes_text(int64_t bytes);

}  // namespace kvscope
