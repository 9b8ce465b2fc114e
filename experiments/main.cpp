#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "core/base/console.h"
#include "experiments/program.h"

int main(int argc, char** argv) {
  kvscope::keep_standard_descriptors();
  // Standard output is for what was asked for.
  spdlog::set_default_logger(spdlog::stderr_color_mt("kvscope"));
  return kvscope::run_program({argv + 1, argv + argc});
}
