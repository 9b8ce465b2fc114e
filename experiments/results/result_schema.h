#pragma once

#include <cstdint>

namespace kvscope {

inline constexpr const char* kResultSchema = "kvscope.result";
/// 2 added resolved budgets and the memory columns beyond the live tokens. Files of 1 are read,
/// with zeros and NaN there. 3 numbers images by prompt and replica, may hold more of them than the
/// point asks for, and has check values; earlier files are read and continued as 3.
inline constexpr int64_t kResultSchemaVersion = 3;
/// Attribute of finished files, which those before it lack.
inline constexpr const char* kFinishedTime = "finished_unix_ns";
inline constexpr const char* kHeadCheck = "head_check";
inline constexpr const char* kConfigPlace = "provenance/config_yaml";
inline constexpr const char* kOverridesPlace = "provenance/overrides";
inline constexpr const char* kManifestPlace = "provenance/manifest_json";
inline constexpr const char* kLabelsPlace = "provenance/labels_json";
/// Only where there is any.
inline constexpr const char* kMetricOriginsPlace = "provenance/metrics_json";

}  // namespace kvscope
