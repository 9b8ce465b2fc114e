#pragma once

#include <string>

#include "core/config/value.h"

namespace kvscope {

/// Puts what policies said in other slots before there was `read` where it belongs now:
/// `score: {name: diagonal, ...}` becomes recency and `read: {name: diagonal, ...}`, and
/// `score: {name: recency, rotation: rerotate}` becomes `read: in_cache_positions`. Returns what
/// to write instead, for a warning; empty where nothing had to change. Accepted until 0.3.
std::string update_spelling(ConfigNode& policy);

}  // namespace kvscope
