#include "experiments/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace kvscope {
namespace {

/// A terminal of `columns`, without anybody in front of it.
class PseudoTerminal {
 public:
  explicit PseudoTerminal(unsigned short columns) {
    front_ = posix_openpt(O_RDWR | O_NOCTTY);
    if (front_ < 0 || grantpt(front_) != 0 || unlockpt(front_) != 0) return;
    back_ = open(ptsname(front_), O_RDWR | O_NOCTTY);
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    ioctl(back_, TIOCSWINSZ, &size);
  }
  ~PseudoTerminal() {
    if (back_ >= 0) close(back_);
    if (front_ >= 0) close(front_);
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  [[nodiscard]] int descriptor() const { return back_; }

 private:
  int front_ = -1;
  int back_ = -1;
};

/// Sets a variable of the environment, or removes it, until the end of the scope.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ~Environment() { set(before_ ? before_->c_str() : nullptr); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  void set(const char* value) {
    if (value == nullptr) {
      unsetenv(name_);
    } else {
      setenv(name_, value, 1);
    }
  }

  const char* name_;
  std::optional<std::string> before_;
};

TEST(Terminal, EscapesGoWhereNobodyRefusesThem) {
  struct Case {
    const char* no_color;
    const char* term;
    bool takes;
  };
  const PseudoTerminal terminal(80);
  ASSERT_GE(terminal.descriptor(), 0);
  for (const Case& c :
       {Case{nullptr, "xterm", true}, Case{"", "xterm", true}, Case{"1", "xterm", false},
        Case{"0", "xterm", false}, Case{nullptr, "dumb", false}, Case{nullptr, nullptr, true}}) {
    const Environment no_color("NO_COLOR", c.no_color);
    const Environment term("TERM", c.term);
    EXPECT_EQ(takes_escapes(terminal.descriptor()), c.takes)
        << "NO_COLOR " << (c.no_color == nullptr ? "unset" : c.no_color);
  }
}

TEST(Terminal, NoEscapesIntoPipes) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Environment columns("COLUMNS", "40");
  EXPECT_FALSE(takes_escapes(ends[1]));
  EXPECT_EQ(terminal_columns(ends[1]), 0);
  close(ends[0]);
  close(ends[1]);
}

TEST(Terminal, ColumnsAreTheTerminalsElseTheEnvironments) {
  const Environment columns("COLUMNS", "57");
  EXPECT_EQ(terminal_columns(PseudoTerminal(40).descriptor()), 40);
  EXPECT_EQ(terminal_columns(PseudoTerminal(0).descriptor()), 57);
  for (const char* nonsense : {"", "-3", "12x", "99999999999999999999"}) {
    const Environment unusable("COLUMNS", nonsense);
    EXPECT_EQ(terminal_columns(PseudoTerminal(0).descriptor()), 0) << nonsense;
  }
}

}  // namespace
}  // namespace kvscope
