#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "core/base/console.h"
#include "core/base/error.h"
#include "core/base/shell_word.h"
#include "core/config/composed_tree.h"
#include "core/config/format.h"
#include "core/config/override.h"
#include "core/config/sweep.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config/config_answers.h"
#include "experiments/commands/config/config_batch.h"
#include "experiments/commands/config/config_request.h"

namespace kvscope {
namespace {

struct TreeArguments {
  std::filesystem::path folder{};
  std::string config_name = "config";
  std::vector<std::string> overrides{};
  bool json = false;
  bool resolve = false;
};

void add_tree_options(CLI::App& command, TreeArguments& arguments) {
  command.add_option("--config-dir", arguments.folder, "folder of YAML files (-cd)")->required();
  command.add_option("--config-name", arguments.config_name, "primary config (-cn)");
  command.add_option("overrides", arguments.overrides, "group=option, key=value, +key=value, ~key");
}

ComposeRequest request_of(const TreeArguments& arguments) {
  if (!std::filesystem::is_directory(arguments.folder)) {
    throw Error(ErrorKind::kConfig,
                fmt::format("--config-dir {}: no such folder", arguments.folder.string()));
  }
  ComposeRequest request = tree_request(arguments.folder);
  request.config_name = arguments.config_name;
  request.overrides = arguments.overrides;
  return request;
}

/// Prints an answer; an error in it is said, too.
int print_answer(const nlohmann::ordered_json& answer) {
  fmt::print("{}\n", one_line(answer));
  if (!answer.contains("error")) return 0;
  say("error: {}", answer["error"]["message"].get<std::string>());
  return Error(ErrorKind::kConfig, "").exit_code();
}

int compose_command(const TreeArguments& arguments) {
  const ComposeRequest request = request_of(arguments);
  if (arguments.json) return print_answer(compose_answer(request));
  ConfigRepository repository(request.folders);
  const ComposedTree tree = compose_tree(request, repository);
  ConfigNode shown = tree.root;
  shown.erase("hydra");
  if (arguments.resolve) shown = resolve_tree(tree, request).config;
  fmt::print("{}", to_yaml(shown));
  return 0;
}

int expand_command(const TreeArguments& arguments) {
  const ComposeRequest request = request_of(arguments);
  if (arguments.json) return print_answer(expand_answer(request));
  for (const std::vector<std::string>& job : expand_jobs(request).jobs) {
    std::string line;
    for (const std::string& word : job) line += (line.empty() ? "" : " ") + shell_word(word);
    fmt::print("{}\n", line);
  }
  return 0;
}

int parse_command(const std::string& word, bool json) {
  const nlohmann::ordered_json answer = parse_answer(word);
  if (json || answer.contains("error")) {
    if (json) return print_answer(answer);
    throw Error(ErrorKind::kConfig, answer["error"]["message"].get<std::string>());
  }
  for (const auto& [key, value] : answer.items()) {
    fmt::print("{:<12} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return 0;
}

}  // namespace

void register_config(const CommandRegistrar& registrar) {
  const CommandRegistrar group =
      registrar.group("config", "composition of any tree of YAML: compose, expand, parse, batch");
  const auto composed = std::make_shared<TreeArguments>();
  CLI::App* command = &group.add("compose", "the config that a folder and overrides make",
                                 [=] { return compose_command(*composed); });
  add_tree_options(*command, *composed);
  command->add_flag("--resolve", composed->resolve, "with interpolations filled in");
  command->add_flag("--json", composed->json,
                    "one object: cfg, cfg_unresolved, choices, missing_keys, hydra, or error");

  const auto expanded = std::make_shared<TreeArguments>();
  command = &group.add("expand", "the jobs that a sweep makes, one a line",
                       [=] { return expand_command(*expanded); });
  add_tree_options(*command, *expanded);
  command->add_flag("--json", expanded->json, "one object: jobs, hydra_overrides, batches");

  struct Word {
    std::string text;
    bool json = false;
  };
  const auto word = std::make_shared<Word>();
  command = &group.add("parse", "what the grammar makes of an override",
                       [=] { return parse_command(word->text, word->json); });
  command->add_option("override", word->text, "key=value, +key=value, ~key")->required();
  command->add_flag("--json", word->json, "one object");

  group.add("batch",
            "answers to requests on standard input, a JSON object a line (docs/composition.md)",
            [] {
              answer_requests(std::cin, std::cout);
              return 0;
            });
}

}  // namespace kvscope
