#include "experiments/judges/export.h"

#include <fmt/format.h>

#include <memory>

#include "core/base/console.h"
#include "core/base/error.h"
#include "core/base/shell_word.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/results/results_folder_option.h"
#include "experiments/judges/judge_json.h"
#include "experiments/sweep/interrupt.h"

namespace kvscope {
namespace {

struct ExportCommand {
  std::string judge{};
  ExportOptions options{};
  std::string order{};
  bool json = false;
};

JudgeJson json_of(const ExportCommand& command, const ExportSummary& summary) {
  JudgeJson json;
  json["judge"] = command.judge;
  json["folder"] = summary.out.string();
  json["card"] = summary.card.string();
  json["point"] = summary.point;
  json["pictures"] = summary.pictures;
  json["prompts"] = summary.prompts;
  json["missing"] = summary.missing;
  json["files"] = summary.places;
  json["notes"] = summary.notes;
  return json;
}

int export_command(ExportCommand& command) {
  constexpr int kInterrupted = 130;
  const Judge& judge = judge_named(command.judge);
  if (!command.order.empty() && command.order != "shuffled" && command.order != "index") {
    throw Error(ErrorKind::kConfig,
                fmt::format("--order {}: expected shuffled or index. {}", command.order,
                            suggestion(command.order, {"shuffled", "index"})));
  }
  if (!command.order.empty()) command.options.is_shuffled = command.order == "shuffled";
  const InterruptGuard interrupt("stops, and keeps nothing; once more to stop at once");
  const ExportSummary summary =
      export_for(judge, command.options, [&] { return interrupt.requested(); });
  if (summary.is_stopped) return kInterrupted;
  for (const std::string& note : summary.notes) say("note: {}", note);
  if (command.json) {
    fmt::print("{}\n",
               json_of(command, summary).dump(-1, ' ', false, JudgeJson::error_handler_t::replace));
    return 0;
  }
  fmt::print("{}: {} pictures of {} prompts for {}{}\n", summary.out.string(), summary.pictures,
             summary.prompts, judge.title,
             summary.missing > 0 ? fmt::format(", {} missing", summary.missing) : "");
  fmt::print("{}: point, recipe and digests\n", summary.card.string());
  if (!judge.advice.empty()) fmt::print("mind: {}\n", judge.advice);
  fmt::print("next: kvscope judge check {} {}{}\n", judge.name, shell_word(summary.out.string()),
             command.options.prompts.empty()
                 ? ""
                 : " --prompts " + shell_word(command.options.prompts.string()));
  return 0;
}

}  // namespace

void register_export(const CommandRegistrar& registrar) {
  const auto command = std::make_shared<ExportCommand>();
  command->options.command_line = registrar.typed();
  CLI::App& app = registrar.add("export", "a point's images as a published judge reads them",
                                [command] { return export_command(*command); });
  ExportOptions& options = command->options;
  app.add_option("judge", command->judge, "see kvscope list judges")
      ->required()
      ->type_name("JUDGE");
  add_results_folder(app, options.folder);
  app.add_option("--to", options.out, "the folder to make; imagenet_npz: or FILE.npz")->required();
  app.add_option("--prompts", options.prompts, "the judge's prompt list, or its checkout");
  app.add_option("--rewritten", options.rewritten,
                 "JSON of {original prompt: the one the images were made of}");
  app.add_option("--point", options.choice.point, "how the point's hash begins");
  app.add_option("--only", options.choice.only, "label=value, as in budget=20%; may be repeated");
  app.add_option("--base", options.base, "pairs: how the hash of the full cache begins");
  app.add_option("--samples", options.samples, "images of each prompt; the judge's number without");
  app.add_option("--name", options.name, "the model's, where the layout has a folder of it");
  app.add_option("--jpeg-quality", options.jpeg_quality,
                 "libjpeg's: 95 is OpenCV's default, 75 is PIL's");
  app.add_option("--order", command->order, "imagenet_npz: shuffled, or by index")
      ->type_name("shuffled|index");
  app.add_option("--shuffle-seed", options.shuffle_seed, "imagenet_npz: another order");
  app.add_flag("--partial", options.is_partial, "leave out what is missing instead of refusing");
  app.add_flag("--json", command->json, "one JSON object on standard output");
}

}  // namespace kvscope
