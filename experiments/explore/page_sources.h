#pragma once

#include <string_view>

namespace kvscope {

// The files of experiments/explore/page, as the build found them (cmake/EmbedText.cmake).

/// page.html: {{title}}, {{style}}, {{data}} and {{script}} stand where they go.
extern const std::string_view kExplorerHtml;
/// All *.css, all *.js in the order of their names.
extern const std::string_view kExplorerStyle;
extern const std::string_view kExplorerScript;

}  // namespace kvscope
