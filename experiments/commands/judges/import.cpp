#include "experiments/judges/import.h"

#include <fmt/format.h>

#include <memory>

#include "core/base/console.h"
#include "core/base/error.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/judges/judge_json.h"
#include "experiments/judges/judge_scores.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

struct ImportCommand {
  std::string judge{};
  std::vector<fs::path> words{};  ///< files, and the results folder behind them
  ImportOptions options{};
  StoreOptions store{};
  bool json = false;
};

/// Totals a line each: "official.tasks.colors.score   0.25". Lists are said by their length.
void print_totals(const JudgeJson& totals, const std::string& prefix) {
  for (const auto& [key, value] : totals.items()) {
    const std::string name = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object()) {
      print_totals(value, name);
    } else if (value.is_array()) {
      fmt::print("  {:<52} {} values\n", name, value.size());
    } else {
      fmt::print("  {:<52} {}\n", name,
                 value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
}

int import_command(ImportCommand& command) {
  const Judge& judge = judge_named(command.judge);
  std::error_code unknown;
  command.options.files = command.words;
  const bool has_folder = !command.words.empty() && fs::is_directory(command.words.back(), unknown);
  if (has_folder) {
    command.store.folder = command.options.files.back();
    command.options.files.pop_back();
  } else if (!command.store.card.empty() || !command.store.choice.point.empty() ||
             !command.store.choice.only.empty()) {
    throw Error(ErrorKind::kConfig,
                "--card, --point and --only say whose the numbers are: the results folder belongs "
                "behind the files");
  }
  JudgeScores scores = import_scores(judge, command.options);
  fs::path stored;
  if (has_folder) stored = store_scores(judge, command.options, scores, command.store);
  for (const std::string& note : scores.notes) say("note: {}", note);
  if (command.json) {
    JudgeJson json;
    json["judge"] = judge.name;
    json["numbers"] = json_of(scores.numbers);
    json["totals"] = scores.totals;
    json["notes"] = scores.notes;
    if (has_folder) json["stored"] = stored.string();
    fmt::print("{}\n", json.dump(-1, ' ', false, JudgeJson::error_handler_t::replace));
    return 0;
  }
  for (const JudgeNumber& number : scores.numbers) {
    fmt::print("{:<28} {:.{}f}{}\n", fmt::format("{} ({})", number.label, number.variant),
               number.value, number.decimals, number.fault.empty() ? "" : "   " + number.fault);
  }
  fmt::print("totals:\n");
  print_totals(scores.totals, "");
  if (has_folder) fmt::print("kept in {}\n", stored.string());
  return 0;
}

}  // namespace

void register_import(const CommandRegistrar& registrar) {
  const auto command = std::make_shared<ImportCommand>();
  CLI::App& app =
      registrar.add("import", "totals of a judge's result files, official and corrected",
                    [command] { return import_command(*command); });
  app.add_option("judge", command->judge, "see kvscope list judges")
      ->required()
      ->type_name("JUDGE");
  app.add_option("files", command->words,
                 "result files; a results folder behind them keeps the numbers")
      ->required();
  app.add_option("--prompts", command->options.prompts,
                 "the judge's prompt list: says what is missing");
  app.add_option("--samples", command->options.samples, "images of each prompt");
  app.add_option("--card", command->store.card,
                 "OUT.card.json of the export: whose numbers they are");
  app.add_option("--point", command->store.choice.point, "how the point's hash begins");
  app.add_option("--only", command->store.choice.only, "label=value, as in budget=20%");
  app.add_flag("--json", command->json, "one JSON object on standard output");
}

}  // namespace kvscope
