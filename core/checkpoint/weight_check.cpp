#include "core/checkpoint/weight_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "core/base/dtype_name.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr size_t kShown = 20;  // lines of one kind; a wrong model would otherwise list thousands
constexpr size_t kCompared = 4000;  // names that a missing one is compared with

std::string shape_text(at::IntArrayRef shape) {
  std::vector<std::string> sides;
  for (const int64_t side : shape) sides.push_back(side < 0 ? "any" : fmt::format("{}", side));
  return fmt::format("[{}]", fmt::join(sides, ", "));
}

bool fits(const std::vector<int64_t>& shape, const at::Tensor& tensor) {
  return std::ranges::equal(shape, tensor.sizes(), [](int64_t wanted, int64_t side) {
    return wanted < 0 || wanted == side;
  });
}

bool shape_fits(const WeightSpec& spec, const at::Tensor& tensor) {
  if (spec.any_layout) return tensor.numel() == c10::multiply_integers(spec.shape);
  return fits(spec.shape, tensor);
}

// The spelling of `spec` that the file has, or the published one.
std::string spelling(const WeightSpec& spec, const TensorMap& tensors, const std::string& prefix) {
  for (const std::string& other : spec.other_names) {
    if (!tensors.contains(prefix + spec.name) && tensors.contains(prefix + other)) {
      return prefix + other;
    }
  }
  return prefix + spec.name;
}

enum class Placement { kPrefixed, kBare, kAbsent };

Placement placement_of(const std::string& part,
                       const std::vector<WeightSpec>& specs,
                       const TensorMap& tensors) {
  const auto found = [&](const std::string& prefix) {
    return std::ranges::count_if(specs, [&](const WeightSpec& spec) {
      return spec.part == part && tensors.contains(spelling(spec, tensors, prefix));
    });
  };
  const auto below_part = [&part](const TensorMap::Entry& entry) {
    return entry.first.starts_with(part);
  };
  // A bare name may begin like the part: native names of Hugging Face do ("model.language_model.").
  const auto bare = found("");
  if (!part.empty() && std::ranges::any_of(tensors, below_part) && found(part) >= bare) {
    return Placement::kPrefixed;
  }
  return bare > 0 ? Placement::kBare : Placement::kAbsent;
}

std::vector<std::string> parts_of(const std::vector<WeightSpec>& specs) {
  std::vector<std::string> parts;
  for (const WeightSpec& spec : specs) {
    if (std::ranges::find(parts, spec.part) == parts.end()) parts.push_back(spec.part);
  }
  return parts;
}

void compare(const WeightSpec& spec,
             const TensorMap& tensors,
             const std::string& prefix,
             std::set<std::string>& asked_for,
             WeightReport& report) {
  const std::string name = spelling(spec, tensors, prefix);
  // What is only carried along and is of another kind is not what was meant, and no obstacle.
  if (spec.buffer && tensors.contains(name) && !shape_fits(spec, tensors.at(name))) return;
  asked_for.insert(name);
  if (!tensors.contains(name)) {
    if (!spec.buffer) report.missing.push_back({name, spec.shape});
    return;
  }
  const at::Tensor& tensor = tensors.at(name);
  if (!shape_fits(spec, tensor)) {
    report.mismatched.push_back(fmt::format("'{}' has shape {}, expected {}", name,
                                            shape_text(tensor.sizes()), shape_text(spec.shape)));
  } else if (!spec.buffer && !tensor.is_floating_point()) {
    report.mismatched.push_back(fmt::format("'{}' has dtype {}, expected a floating one such as {}",
                                            name, dtype_name(tensor.scalar_type()),
                                            dtype_name(at::kFloat)));
  } else {
    ++report.matched;
  }
}

std::string cut_line(size_t count) {
  return count > kShown ? fmt::format("\n  ... and {} more", count - kShown) : "";
}

}  // namespace

WeightReport compare_weights(const std::vector<WeightSpec>& specs, const TensorMap& tensors) {
  WeightReport report;
  std::set<std::string> asked_for;
  std::vector<std::string> unneeded;  // beginnings of names
  const std::vector<std::string> parts = parts_of(specs);
  std::vector<std::pair<std::string, Placement>> placed;
  for (const std::string& part : parts)
    placed.emplace_back(part, placement_of(part, specs, tensors));
  const bool nothing = std::ranges::all_of(
      placed, [](const auto& pair) { return pair.second == Placement::kAbsent; });
  // A file without one known name is compared with the model itself, which comes first.
  if (nothing && !placed.empty()) placed.front().second = Placement::kBare;
  for (const auto& [part, placement] : placed) {
    if (placement == Placement::kAbsent) {
      report.absent_parts.push_back(part);
      continue;
    }
    const std::string prefix = placement == Placement::kPrefixed ? part : "";
    for (const WeightSpec& spec : specs) {
      if (spec.part != part) continue;
      if (spec.unneeded) {
        unneeded.push_back(prefix + spec.name);
        for (const std::string& other : spec.other_names) unneeded.push_back(prefix + other);
      } else {
        compare(spec, tensors, prefix, asked_for, report);
      }
    }
  }
  std::vector<std::pair<std::string, at::Tensor>> spare;  // what a missing name may have meant
  for (const auto& [name, tensor] : tensors) {
    const auto starts = [&name = name](const std::string& head) { return name.starts_with(head); };
    if (!asked_for.contains(name) && std::ranges::none_of(unneeded, starts)) {
      report.unexpected.push_back(name);
      if (spare.size() < kCompared) spare.emplace_back(name, tensor);
    }
  }
  const size_t shown = std::min(report.missing.size(), kShown);
  for (MissingWeight& missing : std::span(report.missing).first(shown)) {
    std::vector<std::string> candidates;
    for (const auto& [name, tensor] : spare) {
      if (fits(missing.shape, tensor)) candidates.push_back(name);
    }
    missing.nearest = nearest_name(missing.name, candidates);
  }
  return report;
}

std::string report_text(const WeightReport& report) {
  std::string text;
  std::vector<std::string> first;  // unexpected names that look like a missing one
  for (size_t i = 0; i < std::min(report.missing.size(), kShown); ++i) {
    const MissingWeight& missing = report.missing[i];
    text += fmt::format("\n  missing '{}' {}", missing.name, shape_text(missing.shape));
    if (missing.nearest.empty()) continue;
    text += fmt::format("; the nearest of that shape in the file is '{}'", missing.nearest);
    if (std::ranges::find(first, missing.nearest) == first.end()) first.push_back(missing.nearest);
  }
  text += cut_line(report.missing.size());
  for (size_t i = 0; i < std::min(report.mismatched.size(), kShown); ++i) {
    text += "\n  " + report.mismatched[i];
  }
  text += cut_line(report.mismatched.size());
  for (const std::string& name : report.unexpected) {
    if (first.size() >= kShown) break;
    if (std::ranges::find(first, name) == first.end()) first.push_back(name);
  }
  for (const std::string& name : first) text += fmt::format("\n  unexpected '{}'", name);
  text += cut_line(report.unexpected.size());
  return text;
}

void require_weights(const std::vector<WeightSpec>& specs,
                     const TensorMap& tensors,
                     const std::string& file,
                     const std::string& model) {
  const WeightReport report = compare_weights(specs, tensors);
  if (!report.fits()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{} does not fit {}: {} missing, {} of another shape or dtype, {} "
                            "unexpected{}",
                            file, model, report.missing.size(), report.mismatched.size(),
                            report.unexpected.size(), report_text(report)));
  }
  if (!report.unexpected.empty()) {
    spdlog::warn("{}: {} tensors that {} does not ask for{}", file, report.unexpected.size(), model,
                 report_text(report));
  }
}

}  // namespace kvscope
