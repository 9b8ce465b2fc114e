#include "experiments/commands/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "core/base/error.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/completion/completion.h"
#include "experiments/completion/shell_scripts.h"

namespace kvscope {
namespace {

/// The first clause of a help text: what fits beside a candidate.
std::string short_help(const std::string& help) {
  constexpr size_t kLongest = 72;
  std::string text = help.substr(0, help.find_first_of("\n\t;"));
  if (text.size() <= kLongest) return text;
  const size_t end = text.rfind(' ', kLongest);
  return text.substr(0, end == text.npos ? kLongest : end) + " ...";
}

struct CompleteArguments {
  std::string line;
  std::vector<std::string> words;
};

std::vector<std::string> words_of(const CompleteArguments& arguments) {
  if (arguments.line.empty()) return arguments.words;
  std::vector<std::string> words = shell_words(arguments.line);
  words.erase(words.begin());  // the program
  return words;
}

}  // namespace

int completion_command(const std::string& shell) {
  fmt::print("{}", completion_script(shell));
  return 0;
}

int complete_command(const CLI::App& program, const std::vector<std::string>& words) {
  Completion completion;
  try {
    completion = complete(program, words);
  } catch (const Error&) {
    return 0;  // a shell has no place for it; running the line says what is wrong
  }
  for (const Candidate& candidate : completion.candidates) {
    const std::string help = short_help(candidate.help);
    fmt::print("{}{}{}\n", candidate.word, help.empty() ? "" : "\t", help);
  }
  if (completion.files == OfferedFiles::kFiles) fmt::print(":files\n");
  if (completion.files == OfferedFiles::kFolders) fmt::print(":folders\n");
  return 0;
}

void register_completion(const CommandRegistrar& registrar) {
  const auto shell = std::make_shared<std::string>();
  CLI::App& script =
      registrar.add("completion", "prints the script that completes words in a shell",
                    [shell] { return completion_command(*shell); });
  script.add_option("shell", *shell, "whose script")
      ->required()
      ->type_name(fmt::format("{}", fmt::join(completed_shells(), "|")));

  const auto arguments = std::make_shared<CompleteArguments>();
  const CLI::App& program = registrar.program();
  CLI::App& answer = registrar.add(
      "complete", "what may stand at the end of a line",
      [arguments, &program] { return complete_command(program, words_of(*arguments)); });
  answer.group("");  // for scripts, not for people
  answer.add_option("--line", arguments->line, "the line up to the cursor");
  answer.add_option("words", arguments->words, "its words behind the program's name");
}

}  // namespace kvscope
