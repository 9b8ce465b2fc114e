#include "experiments/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace kvscope {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

}  // namespace

bool takes_escapes(int descriptor) {
  return isatty(descriptor) == 1 && environment("NO_COLOR").empty() &&
         environment("TERM") != "dumb";
}

int64_t terminal_columns(int descriptor) {
  if (isatty(descriptor) != 1) return 0;
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const std::string_view said = environment("COLUMNS");
  int64_t columns = 0;
  const auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), columns);
  return error == std::errc() && end == said.data() + said.size() && columns > 0 ? columns : 0;
}

ConsoleStyle console_style() {
  return {.ansi = takes_escapes(STDOUT_FILENO), .columns = terminal_columns(STDOUT_FILENO)};
}

}  // namespace kvscope
