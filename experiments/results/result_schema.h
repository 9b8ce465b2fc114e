#pragma once

#include <cstdint>

namespace kvscope {

inline constexpr const char* kResultSchema = "kvscope.result";
inline constexpr int64_t kResultSchemaVersion = 1;
inline constexpr const char* kConfigPlace = "provenance/config_yaml";
inline constexpr const char* kOverridesPlace = "provenance/overrides";
inline constexpr const char* kManifestPlace = "provenance/manifest_json";
inline constexpr const char* kLabelsPlace = "provenance/labels_json";

}  // namespace kvscope
