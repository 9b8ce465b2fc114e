#pragma once

#include <string>
#include <vector>

namespace kvscope {

/// Overrides as they are spelt now: keys that stood elsewhere in the last version are taken, with a
/// warning each. policy.score.rotation=rerotate is policy.read=in_cache_positions; what the score
/// `diagonal` read is read by policy.read. Accepted until 0.3.
std::vector<std::string> with_moved_keys(std::vector<std::string> overrides);

}  // namespace kvscope
