#pragma once

#include <istream>
#include <ostream>

namespace kvscope {

/// `kvscope config batch`: reads requests, a JSON object a line, and answers each with a line of
/// JSON, in order. A request is {"parse": WORD}, or {"compose": R} or {"expand": R} with R =
/// {"config_dir", "config_name", "overrides", "env", "cwd", "job_number"}; all but the first have
/// defaults. `env` replaces the process's environment. A line that is no request is answered with
/// an error.
void answer_requests(std::istream& requests, std::ostream& answers);

}  // namespace kvscope
