#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

/// Identity of a sweep point: the SHA-256, 64 hex digits, of the config's canonical JSON minus the
/// volatile keys (dotted; a key takes everything below it along; "*" matches one name) plus the
/// `digests` (name -> text: weights, prompt list, semantic versions of the policy's components).
std::string point_digest(const ConfigNode& config,
                         const std::vector<std::string>& volatile_keys,
                         const std::vector<std::pair<std::string, std::string>>& digests = {});

/// The first 12 digits of a point's hash: how folders and messages name the point.
std::string short_hash(const std::string& hash);

/// short_hash() of point_digest.
std::string point_hash(const ConfigNode& config,
                       const std::vector<std::string>& volatile_keys,
                       const std::vector<std::pair<std::string, std::string>>& digests = {});

}  // namespace kvscope
