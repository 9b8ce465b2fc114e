#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace kvscope {

/// The command line as a command registers itself on it: its name, its options, and what it does
/// when it was typed. Lives until the line is parsed; an option's variable has to live until the
/// command has acted, so commands share ownership of theirs with their action.
class CommandRegistrar {
 public:
  /// What a command does; returns the exit code.
  using Action = std::function<int()>;

  /// Parsing `parent`'s line hands the action of the command that was typed to `choose`. `typed` is
  /// the whole line, as a shell reads it back.
  CommandRegistrar(CLI::App& parent, std::function<void(Action)> choose, std::string typed)
      : parent_(parent), choose_(std::move(choose)), typed_(std::move(typed)) {}

  /// A command with its line of help; the caller adds options. Words that no option takes are
  /// judged later, for all commands alike.
  CLI::App& add(const std::string& name, const std::string& help, Action action) const {
    CLI::App* command = parent_.add_subcommand(name, help);
    command->allow_extras();
    command->prefix_command(false);
    command->callback([choose = choose_, action = std::move(action)] { choose(action); });
    return *command;
  }

  /// A word in front of commands: `kvscope NAME COMMAND`.
  [[nodiscard]] CommandRegistrar group(const std::string& name, const std::string& help) const {
    CLI::App* group = parent_.add_subcommand(name, help);
    group->require_subcommand(1);
    return {*group, choose_, typed_};
  }

  [[nodiscard]] const std::string& typed() const { return typed_; }
  /// Where commands are registered: of the program itself, all of them.
  [[nodiscard]] const CLI::App& program() const { return parent_; }

 private:
  CLI::App& parent_;
  std::function<void(Action)> choose_;
  std::string typed_;
};

}  // namespace kvscope
