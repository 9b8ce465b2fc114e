#pragma once

#include <filesystem>
#include <span>

namespace kvscope {

/// `kvscope h5 check FILE...`: of every file what it is, what is in it, and whether it is whole:
/// results of a point (its digest, or the check values of the rows of an unfinished one, and
/// whether every image is there) and attention records (every array against its axes). A line per
/// file. Returns 0, or 3 where one is not whole.
int h5_check_command(std::span<const std::filesystem::path> files, bool json = false);

}  // namespace kvscope
