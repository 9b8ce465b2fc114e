#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "experiments/sweep/point.h"
#include "policies/registry.h"

namespace kvscope {

/// Points as they were when their sweep began, in a file: whoever makes them later, elsewhere,
/// makes these, whatever has become of the configuration files since.
struct FrozenPoints {
  /// One of them: its resolved configuration, with the origins of its values, and what follows from
  /// configuration files beside it.
  struct One {
    std::string hash{};
    std::string setting_hash{};
    std::string reference_hash{};
    std::vector<std::pair<std::string, std::string>> labels{};
    std::vector<std::string> overrides{};
    ConfigNode config{};
    int64_t images = 0;
    int64_t task = 0;  ///< which of a launcher's tasks makes it

    [[nodiscard]] std::string label(std::string_view key) const;
  };

  std::string root{};            ///< where relative paths of model groups start
  std::string working_folder{};  ///< where those of the command line do
  std::string command_line{};    ///< of the sweep
  std::string job_name{};        ///< under which a scheduler knows the tasks; may be empty
  std::vector<One> points{};
};

/// A point as it stands in such a file.
FrozenPoints::One frozen(const Point& point);

/// Writes the file, whole or not at all. Throws Error(kEnvironment).
void write_frozen_points(const std::filesystem::path& file, const FrozenPoints& frozen);
/// Throws Error(kInput) where it is missing or damaged.
FrozenPoints read_frozen_points(const std::filesystem::path& file);

/// Makes points of them again, in the program's working folder; reads their weights and prompts.
/// Throws Error(kInput) where these are no longer what they were, and as list_points().
PointList thawed(const FrozenPoints& frozen, std::shared_ptr<const ComponentRegistry> components);

/// DIR/frozen_points.json: every point that a run in DIR has asked for, as it was last asked for.
std::filesystem::path frozen_points_file(const std::filesystem::path& folder);
/// Adds the points of a run to it. Throws Error(kEnvironment).
void record_frozen_points(const std::filesystem::path& folder, FrozenPoints frozen);

}  // namespace kvscope
