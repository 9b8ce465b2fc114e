#include "experiments/judges/judge.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "core/base/error.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/judges/export.h"
#include "experiments/judges/folder_reading.h"
#include "experiments/judges/judge_json.h"
#include "experiments/judges/judge_text.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

struct JudgeCommand {
  std::string judge{};
  fs::path folder{};
  fs::path prompts{};
  fs::path rewritten{};
  std::optional<int64_t> samples{};
  bool json = false;
};

JudgeJson json_of(const std::vector<FileRemark>& remarks) {
  JudgeJson list = JudgeJson::array();
  for (const FileRemark& remark : remarks) {
    list.push_back({{"file", remark.place}, {"why", remark.why}});
  }
  return list;
}

JudgeJson json_of(const FolderReading& reading) {
  return {{"reader", reading.reader},
          {"read", reading.read},
          {"skipped", json_of(reading.skipped)},
          {"misread", json_of(reading.misread)},
          {"stops", json_of(reading.stops)},
          {"missing", json_of(reading.missing)},
          {"notes", reading.notes}};
}

void print_remarks(const char* what, const std::vector<FileRemark>& remarks) {
  constexpr size_t kShown = 10;
  for (size_t i = 0; i < std::min(remarks.size(), kShown); ++i) {
    fmt::print("  {:<8} {}{}{}\n", what, remarks[i].place, remarks[i].place.empty() ? "" : ": ",
               remarks[i].why);
  }
  if (remarks.size() > kShown)
    fmt::print("  {:<8} ... and {} more\n", what, remarks.size() - kShown);
}

FolderListing listing_of(const fs::path& path) {
  std::error_code unknown;
  if (!fs::is_regular_file(path, unknown)) return FolderListing::of(path);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  return {.root = folder, .files = {path.filename().string()}};  // a single .npz
}

int check_command(const JudgeCommand& command) {
  const Judge& judge = judge_named(command.judge);
  const FolderListing listing = listing_of(command.folder);
  require_samples(command.samples);
  ReadRequest request{.listing = listing, .samples = command.samples.value_or(0)};
  if (!command.prompts.empty()) request.prompts = prompt_list_of(judge, command.prompts);
  const std::vector<FolderReading> readings = judge.read_folder(request);
  bool is_clean = true;
  JudgeJson list = JudgeJson::array();
  for (const FolderReading& reading : readings) {
    is_clean = is_clean && reading.is_clean();
    list.push_back(json_of(reading));
    if (command.json) continue;
    fmt::print("{}: {} read, {} skipped, {} misread, {} missing{}\n", reading.reader,
               reading.read.size(), reading.skipped.size(), reading.misread.size(),
               reading.missing.size(), reading.stops.empty() ? "" : "; the run STOPS");
    print_remarks("stops", reading.stops);
    print_remarks("skipped", reading.skipped);
    print_remarks("misread", reading.misread);
    print_remarks("missing", reading.missing);
    for (const std::string& note : reading.notes) fmt::print("  note     {}\n", note);
  }
  if (command.json) {
    const JudgeJson json = {{"judge", judge.name}, {"clean", is_clean}, {"readers", list}};
    fmt::print("{}\n", json.dump(-1, ' ', false, JudgeJson::error_handler_t::replace));
  }
  return is_clean ? 0 : 1;
}

int prompts_command(const JudgeCommand& command) {
  const Judge& judge = judge_named(command.judge);
  const PromptList list = prompt_list_of(judge, command.prompts);
  const auto rewritten = command.rewritten.empty() ? std::map<std::string, std::string>()
                                                   : read_rewritten(command.rewritten);
  for (const JudgePrompt& prompt : list.prompts) {
    const auto found = rewritten.find(with_single_blanks(prompt.text));
    fmt::print("{}\n", with_single_blanks(found == rewritten.end() ? prompt.text : found->second));
  }
  return 0;
}

void add_judge(CLI::App& app, JudgeCommand& command) {
  app.add_option("judge", command.judge, "see kvscope list judges")->required()->type_name("JUDGE");
}

}  // namespace

void register_judge(const CommandRegistrar& registrar) {
  const CommandRegistrar group =
      registrar.group("judge", "published judges: what they read of a folder, their prompts");
  const auto command = std::make_shared<JudgeCommand>();
  CLI::App& check =
      group.add("check", "what a judge would read, skip and stop at, without running it",
                [command] { return check_command(*command); });
  add_judge(check, *command);
  check.add_option("folder", command->folder, "an export, or any folder of images")->required();
  check.add_option("--prompts", command->prompts, "the judge's prompt list: says what is missing");
  check.add_option("--samples", command->samples, "images of each prompt");
  check.add_flag("--json", command->json, "one JSON object on standard output");

  const auto listed = std::make_shared<JudgeCommand>();
  CLI::App& prompts = group.add("prompts", "a judge's prompts, a line each, for prompts.file=",
                                [listed] { return prompts_command(*listed); });
  add_judge(prompts, *listed);
  prompts.add_option("--prompts", listed->prompts, "the judge's prompt list, or its checkout")
      ->required();
  prompts.add_option("--rewritten", listed->rewritten, "JSON of {original prompt: rewritten}");
}

}  // namespace kvscope
