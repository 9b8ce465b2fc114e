#include "experiments/program.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>

#include "core/base/console.h"
#include "core/base/error.h"
#include "core/config/compose.h"
#include "core/device/device_error.h"
#include "experiments/commands/attention.h"
#include "experiments/commands/compare.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/contact_sheet.h"
#include "experiments/commands/device.h"
#include "experiments/commands/generate.h"
#include "experiments/commands/list.h"
#include "experiments/commands/plan.h"
#include "experiments/commands/plot.h"
#include "experiments/commands/report.h"
#include "experiments/commands/run.h"
#include "experiments/commands/table.h"
#include "experiments/commands/tokenize.h"
#include "experiments/commands/train.h"
#include "experiments/commands/verify.h"
#include "experiments/commands/weights.h"
#include "experiments/results/sweep_metrics.h"
#include "experiments/sweep/interrupt.h"
#include "experiments/sweep/run_keys.h"
#include "experiments/version.h"

namespace kvscope {
namespace {

constexpr int kUsageError = 2;

/// Hydra's two-letter options, which no POSIX parser takes as one option.
std::vector<std::string> long_spellings(std::vector<std::string> arguments) {
  for (std::string& argument : arguments) {
    if (argument == "-cd") argument = "--config-dir";
    if (argument == "-cn") argument = "--config-name";
  }
  return arguments;
}

/// A word as a shell reads it back.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+.,/:@%~";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return word;
  std::string text = "'";
  for (const char letter : word)
    text += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return text + "'";
}

std::string command_line(const std::vector<std::string>& arguments) {
  std::string text = "kvscope";
  for (const std::string& argument : arguments) text += " " + quoted(argument);
  return text;
}

/// All subcommands; what was chosen ends up in `action`.
class CommandLine {
 public:
  explicit CommandLine(std::string typed) : typed_(std::move(typed)) {
    app_.name("kvscope");
    app_.description("How little of its past does a visual autoregressive model need?");
    app_.set_version_flag("--version", std::string("kvscope ") + kVersion);
    app_.require_subcommand(1);
    app_.footer(
        "kvscope COMMAND --help says more. Overrides are Hydra's: policy=snapkv "
        "budget.ratio=0.1");
    add_run();
    add_plan();
    add_generate();
    add_lists();
    add_results();
    const auto choose = [this](std::function<int()> action) { action_ = std::move(action); };
    add_attention_commands(app_, choose);
    add_weights();
    add_checks();
    add_device_commands(app_, choose);
  }

  CLI::App& app() { return app_; }
  [[nodiscard]] int act() const { return action_(); }

 private:
  CLI::App* add(const std::string& name, const std::string& help, std::function<int()> action) {
    CLI::App* command = app_.add_subcommand(name, help);
    command->callback([this, action] { action_ = action; });
    command->allow_extras();  // judged in run_program, with the nearest right thing
    command->prefix_command(false);
    return command;
  }

  void add_config(CLI::App* command) { add_config_options(*command, config_); }

  void add_run() {
    CLI::App* command = add("run", "run points, or go on with them", [this] {
      return shown_.empty() ? run_command(config_, typed_)
                            : show_config_command(config_, shown_, resolve_, package_);
    });
    add_config(command);
    command->add_option("-c,--cfg", shown_, "print the config instead: job, hydra or all");
    command->add_flag("--resolve", resolve_, "with interpolations filled in");
    command->add_option("-p,--package", package_, "only what is below this key");
  }

  void add_plan() {
    CLI::App* command = add("plan", "tokens and bytes of a run, without running it",
                            [this] { return plan_command(config_, plan_); });
    add_config(command);
    command->add_flag("--full", plan_.every_head, "tokens of every (step, layer, head)");
  }

  void add_generate() {
    CLI::App* command = add("generate", "pictures of a prompt, without a results folder",
                            [this] { return generate_command(config_, out_); });
    add_config(command);
    command->add_option("-o,--out", out_, "PNG file");
  }

  void add_lists() {
    CLI::App* command =
        add("list", "policies, parts, models, metrics, launchers, experiments, groups or keys",
            [this] { return list_command(config_, what_); });
    command->add_option("what", what_, "what to list")->required();
    command->add_option("--config-dir", config_.config_folder, "as for run");
    add_plugin_option(*command, config_);
    command = add("describe", "a config option (policy/snapkv) or a key (gen.cfg)",
                  [this] { return describe_command(config_, what_); });
    command->add_option("what", what_, "GROUP/OPTION or key")->required();
    command->add_option("--config-dir", config_.config_folder, "as for run");
    add_plugin_option(*command, config_);
  }

  void add_folder(CLI::App* command) {
    command->add_option("folder", folder_, "results folder, such as multirun/quickstart")
        ->required();
  }

  void add_results() {
    CLI::App* command = add("table", "the table of a sweep", [this] {
      table_.folder = folder_;
      table_.ansi = isatty(STDOUT_FILENO) == 1;
      return table_command(table_);
    });
    add_folder(command);
    command->add_option("--format", table_.format, "console, csv, md or tex");
    command = add("compare", "policies by budget, or by how much they differ from one", [this] {
      compare_.folder = folder_;
      compare_.ansi = isatty(STDOUT_FILENO) == 1;
      return compare_command(compare_);
    });
    add_folder(command);
    command->add_option("--metric", compare_.metric, metric_choices());
    command->add_option("--against", compare_.against, "a policy: differences to it, by image");
    command->add_option("--format", compare_.format, "console, csv, md or tex");
    command = add("plot", "memory against quality, SVG and PNG", [this] {
      plot_.folder = folder_;
      return plot_command(plot_);
    });
    add_folder(command);
    command->add_option("--metric", plot_.metric, metric_choices());
    command
        ->add_option("--highlight", plot_.highlighted, "policies in colour, the others grey: a,b")
        ->delimiter(',');
    command = add("sheet", "contact sheet: a row a policy and budget", [this] {
      sheet_.folder = folder_;
      return contact_sheet_command(sheet_);
    });
    add_folder(command);
    command->add_option("--prompts", sheet_.prompts, "columns at most");
    command->add_option("--magnification", sheet_.magnification, "pixels a pixel; 0: fitting");
    command->add_option("--only", sheet_.only,
                        "label=value: only these points, and full caches (budget=20%)");
    command = add("report", "table, plots and sheet as one HTML page", [this] {
      report_.folder = folder_;
      return report_command(report_);
    });
    add_folder(command);
    command->add_option("--title", report_.title, "title of the page");
  }

  void add_weights() {
    CLI::App* group = app_.add_subcommand("weights", "checkpoint files: inspect, check, convert");
    group->require_subcommand(1);
    const auto add_to = [this, group](const std::string& name, const std::string& help,
                                      std::function<int()> action) {
      CLI::App* command = group->add_subcommand(name, help);
      command->allow_extras();
      command->callback([this, action] { action_ = action; });
      return command;
    };
    const std::string kinds = "safetensors or PyTorch file, *.index.json, or folder";
    CLI::App* inspect = add_to("inspect", "names, dtypes and shapes; nothing in the file is run",
                               [this] { return weights_inspect_command(weights_from_); });
    inspect->add_option("file", weights_from_, kinds)->required();
    CLI::App* check = add_to("check", "whether a file holds the tensors of a model",
                             [this] { return weights_check_command(config_); });
    add_config(check);
    check->footer("kvscope weights check model=infinity_2b FILE: the file, a " + kinds +
                  ", stands among the overrides. Missing tensors and wrong shapes exit with 3.");
    CLI::App* convert = add_to("convert", "any checkpoint as one safetensors file", [this] {
      return weights_convert_command(weights_from_, weights_to_);
    });
    convert->add_option("in", weights_from_, kinds)->required();
    convert->add_option("out", weights_to_, "OUT.safetensors, written whole or not at all")
        ->required();
  }

  void add_checks() {
    CLI::App* command = add("verify", "recompute golden files from what is inside them",
                            [this] { return verify_command(verify_); });
    command->add_option("files", verify_.files, "safetensors files, JSON files of tokenizer cases")
        ->required();
    command->add_option("--device", verify_.device, "cpu, cuda, cuda:N or auto");
    command->add_flag("--json", verify_.json, "a JSON object per file and line");
    command = add("tokenize", "token ids of every line of standard input or a file",
                  [this] { return tokenize_command(tokenize_); });
    command
        ->add_option("tokenizer", tokenize_.tokenizer,
                     "SentencePiece .model, tokenizer.json, or a folder with one")
        ->required();
    command->add_option("file", tokenize_.input, "text, one a line; -: standard input");
    command->add_flag("--json", tokenize_.json,
                      "every line is a JSON string, every answer a JSON list");
    command = add("train", "train an embedded model; resumes", [this] { return train(); });
    add_config(command);
  }

  /// The model that the overrides choose, by its option's name; the default one's otherwise.
  [[nodiscard]] std::string chosen_model() const {
    constexpr std::string_view kChoice = "model=";
    for (auto text = config_.overrides.rbegin(); text != config_.overrides.rend(); ++text) {
      if (text->starts_with(kChoice)) return text->substr(kChoice.size());
    }
    ConfigArguments plain = config_;
    plain.overrides.clear();
    return compose(compose_request(plain)).config.at("model.name").as_string();
  }

  int train() {
    const auto chooses_train = [](const std::string& text) {
      return text.starts_with("train=") || text.starts_with("+train=");
    };
    if (std::ranges::none_of(config_.overrides, chooses_train)) {
      config_.overrides.insert(config_.overrides.begin(), "+train=" + chosen_model());
    }
    const ConfigNode config = compose(compose_request(config_)).config;
    check_config(config, ConfigUse::kTrain);
    const InterruptGuard interrupt(
        "stopping as soon as the step at work is done and saved; Ctrl-C again stops at once, and "
        "the steps since the last save are made again");
    const int code = train_command(config, data_root().string(), interrupt.flag());
    if (interrupt.requested() && code != 0) {
      say("interrupted; the steps made are kept. The same command goes on:\n  {}", typed_);
    }
    return code;
  }

  std::string typed_;
  CLI::App app_;
  std::function<int()> action_;
  ConfigArguments config_;
  std::string shown_, package_, what_;
  bool resolve_ = false;
  PlanOptions plan_;
  std::filesystem::path out_ = "kvscope.png";
  std::filesystem::path folder_;
  TableOptions table_;
  CompareOptions compare_;
  PlotOptions plot_;
  ContactSheetOptions sheet_;
  ReportOptions report_;
  VerifyOptions verify_;
  TokenizeOptions tokenize_;
  std::filesystem::path weights_from_, weights_to_;
};

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
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

/// Words that no command took: unknown options, and too many arguments.
void refuse_extras(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands()) {
    refuse_extras(*command);
    for (const std::string& word : command->remaining()) {
      const std::string name = word.substr(0, word.find('='));
      const bool flag = name.starts_with('-');
      throw Error(ErrorKind::kConfig,
                  flag ? fmt::format("kvscope {}: unknown option '{}'. {}", command->get_name(),
                                     name, suggestion(name, flag_names(*command)))
                       : fmt::format("kvscope {}: unexpected argument '{}'; see kvscope {} --help",
                                     command->get_name(), word, command->get_name()));
    }
  }
}

/// A first word that is no command.
void refuse_unknown_command(const std::vector<std::string>& arguments, const CLI::App& app) {
  if (arguments.empty()) return;
  const auto check = [](const std::string& word, const CLI::App& parent) {
    if (word.starts_with('-')) return;
    const std::vector<std::string> known = subcommand_names(parent);
    if (std::ranges::find(known, word) != known.end()) return;
    throw Error(ErrorKind::kConfig,
                fmt::format("no command '{}'. {}", word, suggestion(word, known)));
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
  CommandLine line(command_line(typed));
  refuse_unknown_command(arguments, line.app());
  try {
    line.app().parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return line.app().exit(error);  // --help, --version
    say("error: {}. kvscope --help lists commands and options", error.what());
    return kUsageError;
  }
  refuse_extras(line.app());
  return line.act();
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
    say("error: {}", error.what());
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
