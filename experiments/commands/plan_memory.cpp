#include "experiments/commands/plan_memory.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <vector>

#include "core/base/byte_size.h"
#include "core/base/dtype_name.h"
#include "core/base/error.h"
#include "core/engine/kv_memory.h"

namespace kvscope {
namespace {

std::string parts_text(const std::vector<WeightPart>& weights) {
  std::vector<std::string> parts;
  parts.reserve(weights.size());
  for (const WeightPart& part : weights) {
    parts.push_back(fmt::format("{} {} ({} parameters, {})", part.name,
                                short_bytes_text(part.bytes), part.parameters,
                                dtype_name(part.type)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string phases_text(const std::vector<PhaseMemory>& activations) {
  std::vector<std::string> phases;
  phases.reserve(activations.size());
  for (const PhaseMemory& phase : activations) {
    phases.push_back(fmt::format("{} {}", phase.name, short_bytes_text(phase.bytes)));
  }
  return fmt::format("{}", fmt::join(phases, ", "));
}

}  // namespace

int64_t PointMemory::total_bytes() const {
  return model.weight_bytes() + model.activation_bytes() + arena_bytes + waiting_bytes;
}

bool PointMemory::fits(double limit_bytes) const {
  return static_cast<double>(total_bytes()) <= limit_bytes;
}

PointMemory point_memory(const Point& point, int64_t images) {
  const int64_t rows = point.generation.rows(images);
  const bool per_step = point.generation.eviction_timing == EvictionTiming::kPerStep;
  return {.model = model_memory(point.config.at("model"), {.images = images, .rows = rows}),
          .arena_bytes = point.plan.arena_bytes(rows),
          .waiting_bytes =
              per_step ? max_step_bytes(point.plan.geometry(), rows, EvictionTiming::kPerStep) : 0};
}

std::string memory_text(const Point& point, const PointMemory& memory) {
  std::string text;
  auto out = std::back_inserter(text);
  const ModelMemory& model = memory.model;
  fmt::format_to(out, "  {:<34}  {}: {}\n", "weights on " + point.config.at("device").as_string(),
                 short_bytes_text(model.weight_bytes()), parts_text(model.weights));
  fmt::format_to(out, "  {:<34}  {}: the largest of {}\n", "activations, about",
                 short_bytes_text(model.activation_bytes()), phases_text(model.activations));
  fmt::format_to(out, "  {:<34}  {}: weights, activations and arena{}\n", "total, about",
                 short_bytes_text(memory.total_bytes()),
                 memory.waiting_bytes > 0 ? ", and a step of all layers" : "");
  return text;
}

double memory_limit(const std::string& text) {
  const double bytes = bytes_of_text("--fits", text);
  if (bytes >= 1) return bytes;
  throw Error(
      ErrorKind::kConfig,
      fmt::format("--fits={}: expected the memory of a device, more than 0, such as 24GiB", text));
}

std::string fit_cell(const PointMemory& memory, double limit_bytes) {
  if (memory.fits(limit_bytes)) return "yes";
  const double excess = static_cast<double>(memory.total_bytes()) - limit_bytes;
  return fmt::format("no, {} too much", short_bytes_text(static_cast<int64_t>(excess)));
}

std::string fit_text(const Point& point, const PointMemory& memory, double limit_bytes) {
  const std::string limit = exact_bytes_text(limit_bytes);
  if (memory.fits(limit_bytes)) return "fits " + limit;
  const auto excess = static_cast<double>(memory.total_bytes()) - limit_bytes;
  const std::string text = fmt::format("does not fit {}: {} too much", limit,
                                       short_bytes_text(static_cast<int64_t>(excess)));
  for (int64_t images = point.generation.batch - 1; images > 0; --images) {
    if (point_memory(point, images).fits(limit_bytes)) {
      return fmt::format("{}; gen.batch={} fits", text, images);
    }
  }
  return text + ", and one image at a time does not fit either";
}

std::string short_bytes_text(int64_t bytes) {
  const auto number = static_cast<double>(bytes);
  for (const char* unit : {"GiB", "MiB", "KiB"}) {
    const double amount = number / *bytes_of_unit(unit);
    if (amount >= 1) return fmt::format("{:.2f} {}", amount, unit);
  }
  return fmt::format("{} bytes", bytes);
}

}  // namespace kvscope
