#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/models/image_model.h"

namespace kvscope {

/// FOLDER/manifest.json of a sweep or a point: written before work starts, with all that is known
/// then, completed when it ends. A killed run leaves one without an end. docs/files.md has its
/// keys.
class RunManifest {
 public:
  /// `provenance` is manifest_json(), `images` so many are asked for; `device`, where this process
  /// has opened one, adds what it is. Throws Error(kEnvironment).
  RunManifest(std::filesystem::path folder,
              const std::string& provenance,
              std::optional<at::Device> device,
              int64_t images);

  /// Adds the end: `outcome` is done, interrupted, failed, stopped, busy. Says nothing where it
  /// cannot be written: results do not depend on it.
  void finish(const std::string& outcome, int64_t images_made);

 private:
  void write() const;

  std::filesystem::path file_;
  nlohmann::ordered_json json_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// What of this process's environment changes how it runs, by a list of names: nothing else is
/// kept, as environments hold secrets.
nlohmann::ordered_json allowed_environment();

}  // namespace kvscope
