#pragma once

#include <filesystem>

namespace kvscope {

// A point that is made again keeps what it had in the folder `former` of its own until it is done.

/// Puts results and images of a point's folder aside. Where some are there already, an earlier
/// attempt at making it again did not end: what that one made stays, and goes on. Only for who
/// holds the point's lease. Throws Error(kEnvironment).
void keep_former(const std::filesystem::path& point_folder);

/// Whether the point is being made again.
bool has_former(const std::filesystem::path& point_folder);

/// Removes what was put aside: the new is done.
void remove_former(const std::filesystem::path& point_folder);

}  // namespace kvscope
