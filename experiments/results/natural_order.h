#pragma once

#include <string_view>

namespace kvscope {

/// Whether `a` comes before `b` as people order settings: numbers by value ("8" before "16", "0.25"
/// before "0.5"), runs of digits within text likewise ("window 8" before "window 16"), all else
/// letter by letter. A strict weak order.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace kvscope
