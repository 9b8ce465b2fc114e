#pragma once

#include <map>
#include <string>
#include <string_view>

#include "experiments/report/drawing/colours.h"

namespace kvscope {

/// `text` with every {{name}} replaced; what is put in is not looked at again. Each name has to be
/// in `contents`.
std::string filled(std::string_view text, const std::map<std::string, std::string>& contents);

/// JSON that may stand inside a script element: nothing in it ends one or begins a comment.
std::string script_json(const std::string& json);

/// "#0072b2".
std::string css_colour(const InkColour& colour);

}  // namespace kvscope
