#include <fmt/format.h>

#include "experiments/commands/command_registrar.h"
#include "experiments/commands/manual_page.h"
#include "experiments/version.h"

namespace kvscope {

void register_man(const CommandRegistrar& registrar) {
  const CLI::App& program = registrar.program();
  registrar.add("man", "prints the manual page, for man -l", [&program] {
    fmt::print("{}", manual_page(program, kVersion));
    return 0;
  });
}

}  // namespace kvscope
