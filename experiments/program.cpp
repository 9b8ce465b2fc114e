#include "experiments/program.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <functional>
#include <optional>

#include "core/base/console.h"
#include "core/base/error.h"
#include "core/base/json_finding.h"
#include "core/base/shell_word.h"
#include "core/device/device_error.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/version.h"

namespace kvscope {

#define KVSCOPE_COMMAND(name) void register_##name(const CommandRegistrar& registrar);
#include "experiments/commands/commands.def"
#undef KVSCOPE_COMMAND

namespace {

void register_commands(const CommandRegistrar& registrar) {
#define KVSCOPE_COMMAND(name) register_##name(registrar);
#include "experiments/commands/commands.def"
#undef KVSCOPE_COMMAND
}

constexpr int kUsageError = 2;

/// Hydra's two-letter options, which no POSIX parser takes as one option.
std::vector<std::string> long_spellings(std::vector<std::string> arguments) {
  for (std::string& argument : arguments) {
    if (argument == "-cd") argument = "--config-dir";
    if (argument == "-cn") argument = "--config-name";
  }
  return arguments;
}

std::string command_line(const std::vector<std::string>& arguments) {
  std::string text = "kvscope";
  for (const std::string& argument : arguments) text += " " + shell_word(argument);
  return text;
}

void describe_program(CLI::App& app) {
  app.name("kvscope");
  app.description("How little of its past does a visual autoregressive model need?");
  app.set_version_flag("--version", std::string("kvscope ") + kVersion);
  app.require_subcommand(1);
  app.footer(
      "kvscope COMMAND --help says more. Overrides are Hydra's: policy=snapkv budget.ratio=0.1");
}

std::vector<std::string> all_subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

/// Those for people; what only scripts call is in no group.
std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

/// "config parse": the words that a command is called by.
std::string called(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  const bool is_first = parent == nullptr || parent->get_parent() == nullptr;
  return is_first ? command.get_name() : called(*parent) + " " + command.get_name();
}

/// Words that no command took: unknown options, and too many arguments.
void refuse_extras(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands()) {
    refuse_extras(*command);
    for (const std::string& word : command->remaining()) {
      if (word == "--") continue;
      const std::string name = word.substr(0, word.find('='));
      const bool flag = name.starts_with('-');
      throw Error(ErrorKind::kConfig,
                  flag ? fmt::format("kvscope {}: unknown option '{}'. {}", called(*command), name,
                                     suggestion(name, flag_names(*command)))
                       : fmt::format("kvscope {}: unexpected argument '{}'; see kvscope {} --help",
                                     called(*command), word, called(*command)));
    }
  }
}

/// A key as an option, --gen.cfg=4: how it is written.
std::string as_override(const std::string& word) {
  const std::string text = word.substr(word.find_first_not_of('-'));
  const bool is_dotted = text.substr(0, text.find('=')).find('.') != text.npos;
  return is_dotted ? fmt::format("Keys are written without dashes: {}. ", text) : "";
}

/// Options that the command does not have, before a parser sees them: it would take -multirun for
/// -m -u -l ..., and miss arguments first.
void refuse_unknown_options(const std::vector<std::string>& arguments, const CLI::App& command) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--") return;
    const std::string name = word.substr(0, word.find('='));
    const bool is_option =
        name.size() > 1 && name[0] == '-' && (std::isdigit(name[1]) == 0) && name[1] != '.';
    if (!is_option) continue;
    const CLI::Option* option = command.get_option_no_throw(name);
    if (option != nullptr) {
      const bool has_value = option->get_items_expected_max() > 0 && name == word;
      i += has_value ? 1 : 0;
      continue;
    }
    const std::vector<std::string> known = flag_names(command);
    const bool is_long = name.starts_with("--");
    // A single dash may stand in front of several short options.
    if (!is_long && nearest_name(name, known).empty()) continue;
    if (!is_long && std::ranges::find(known, name.substr(0, 2)) != known.end() && name.size() < 4) {
      continue;
    }
    throw Error(ErrorKind::kConfig,
                fmt::format("kvscope {}: unknown option '{}'. {}{}", called(command), name,
                            as_override(word), suggestion(name, known)));
  }
}

/// The command that a line is for: the last of the words that name one below another.
const CLI::App* chosen_command(const std::vector<std::string>& arguments, const CLI::App& app) {
  const CLI::App* command = &app;
  for (const std::string& word : arguments) {
    const std::vector<std::string> names = all_subcommand_names(*command);
    if (std::ranges::find(names, word) == names.end()) break;
    command = command->get_subcommand(word);
  }
  return command == &app ? nullptr : command;
}

/// A first word that is no command.
void refuse_unknown_command(const std::vector<std::string>& arguments, const CLI::App& app) {
  if (arguments.empty()) return;
  const auto check = [](const std::string& word, const CLI::App& parent) {
    if (word.starts_with('-')) return;
    const std::vector<std::string> known = all_subcommand_names(parent);
    if (std::ranges::find(known, word) != known.end()) return;
    throw Error(ErrorKind::kConfig, fmt::format("no command '{}'. {}", word,
                                                suggestion(word, subcommand_names(parent))));
  };
  check(arguments.front(), app);
  if (arguments.size() > 1 && !arguments.front().starts_with('-')) {
    const CLI::App& chosen = *app.get_subcommand(arguments.front());
    if (!subcommand_names(chosen).empty()) check(arguments[1], chosen);  // "attention record"
  }
  if (arguments.front().starts_with('-')) {
    const std::vector<std::string> known = flag_names(app);
    if (std::ranges::find(known, arguments.front()) != known.end()) return;
    throw Error(ErrorKind::kConfig, fmt::format("unknown option '{}'. {}", arguments.front(),
                                                suggestion(arguments.front(), known)));
  }
}

int parse_and_act(const std::vector<std::string>& typed) {
  const std::vector<std::string> arguments = long_spellings(typed);
  CLI::App app;
  describe_program(app);
  CommandRegistrar::Action act;
  register_commands({app, [&act](CommandRegistrar::Action action) { act = std::move(action); },
                     command_line(typed)});
  refuse_unknown_command(arguments, app);
  if (const CLI::App* command = chosen_command(arguments, app)) {
    refuse_unknown_options(arguments, *command);
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    say("error: {}. kvscope --help lists commands and options", error.what());
    return kUsageError;
  }
  refuse_extras(app);
  return act();
}

/// The exit code of what was asked for, whose errors are said.
int attempt(const std::vector<std::string>& arguments) {
  try {
    return parse_and_act(arguments);
  } catch (const Error& error) {
    say("error: {}", error.what());
    return error.exit_code();
  } catch (const c10::Error& error) {
    if (const auto failed = device_error(error)) {
      say("error: {}", failed->what());
      return failed->exit_code();
    }
    say("error: in LibTorch: {}", error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    say("error: out of memory");
  } catch (const std::exception& error) {
    if (std::ferror(stdout) != 0) return 0;  // that is what it says, and the caller will
    say("error: {}", json_finding(error));   // as any other error reads
  }
  return 1;
}

}  // namespace

int run_program(const std::vector<std::string>& arguments) {
  const int code = attempt(arguments);
  const std::optional<std::string> failure = output_failure();
  if (!failure) return code;
  say("error: {}", *failure);
  return code == 0 ? Error(ErrorKind::kEnvironment, "").exit_code() : code;
}

}  // namespace kvscope
