#pragma once

#include <string_view>

namespace kvscope {

// The files of experiments/report/page, as the build found them (cmake/EmbedText.cmake).

/// page.html: {{title}}, {{style}}, {{body}}, {{data}} and {{script}} stand where they go.
extern const std::string_view kReportHtml;
/// All *.css; all *.js in the order of their names, behind those of shared/.
extern const std::string_view kReportStyle;
extern const std::string_view kReportScript;

}  // namespace kvscope
