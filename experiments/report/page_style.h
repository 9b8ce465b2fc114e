#pragma once

namespace kvscope {

/// The report page's style sheet and its one script (click on a column head to sort).
extern const char* const kPageStyle;
extern const char* const kPageScript;

}  // namespace kvscope
