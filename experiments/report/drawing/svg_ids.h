#pragma once

#include <functional>
#include <string>

namespace kvscope {

/// `svg` with every id replaced by `rename(id)`, where it is defined and where it is used
/// (href="#...", url(#...)), the three forms that Cairo writes. Texts of ours in it are escaped, so
/// no quoted form can hide in them.
std::string rename_svg_ids(const std::string& svg,
                           const std::function<std::string(const std::string&)>& rename);

}  // namespace kvscope
