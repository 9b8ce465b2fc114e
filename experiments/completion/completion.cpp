#include "experiments/completion/completion.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

#include "experiments/completion/config_words.h"
#include "experiments/sweep/configuration.h"

namespace kvscope {
namespace {

/// What a word of this type may be, in words; empty where the type's name is no list of them.
std::vector<std::string> words_of(const std::string& type) {
  std::vector<std::string> words;
  if (type.find('|') == type.npos) return words;
  std::istringstream stream(type);
  for (std::string word; std::getline(stream, word, '|');) words.push_back(word);
  return words;
}

Completion beginning_with(std::vector<Candidate> candidates, const std::string& typed) {
  std::erase_if(candidates, [&](const Candidate& one) { return !one.word.starts_with(typed); });
  return {.candidates = std::move(candidates)};
}

/// The line as it is walked through: the command that it has reached, and what it has chosen.
class Walk {
 public:
  explicit Walk(const CLI::App& program) : command_(&program) {}

  void pass(const std::string& word) {
    if (option_ != nullptr) {
      remember(*option_, word);
      option_ = nullptr;
      return;
    }
    if (word.starts_with('-') && word.size() > 1) {
      pass_option(word);
      return;
    }
    const CLI::App* next = subcommand(word);
    if (next != nullptr) {
      command_ = next;
      passed_ = 0;
    } else {
      ++passed_;
    }
  }

  [[nodiscard]] Completion complete(const std::string& word) const {
    if (option_ != nullptr) return values(*option_, word, "");
    if (word.starts_with('-')) {
      const size_t equals = word.find('=');
      if (equals == word.npos) return options(word);
      const CLI::Option* option = find_option(word.substr(0, equals));
      if (option == nullptr) return {};
      return values(*option, word.substr(equals + 1), word.substr(0, equals + 1));
    }
    Completion completion;
    for (const CLI::App* one : subcommands()) {
      if (one->get_name().starts_with(word)) {
        completion.candidates.push_back({.word = one->get_name(), .help = one->get_description()});
      }
    }
    const CLI::Option* positional = open_positional();
    return positional == nullptr ? completion : values(*positional, word, "");
  }

 private:
  static std::string spelt_out(const std::string& name) {
    static const std::map<std::string, std::string> kLong = {{"-cd", "--config-dir"},
                                                             {"-cn", "--config-name"}};
    const auto found = kLong.find(name);
    return found == kLong.end() ? name : found->second;
  }

  [[nodiscard]] std::vector<const CLI::App*> subcommands() const {
    std::vector<const CLI::App*> shown;
    for (const CLI::App* one : command_->get_subcommands([](const CLI::App*) { return true; })) {
      if (!one->get_group().empty()) shown.push_back(one);
    }
    return shown;
  }

  [[nodiscard]] const CLI::App* subcommand(const std::string& word) const {
    for (const CLI::App* one : subcommands()) {
      if (one->get_name() == word) return one;
    }
    return nullptr;
  }

  [[nodiscard]] const CLI::Option* find_option(const std::string& name) const {
    return command_->get_option_no_throw(spelt_out(name));
  }

  void pass_option(const std::string& word) {
    const size_t equals = word.find('=');
    const CLI::Option* option = find_option(word.substr(0, equals));
    if (option == nullptr) return;
    if (option->get_items_expected_max() == 0) {
      chosen_.multirun = chosen_.multirun || option->check_lname("multirun");
    } else if (equals != word.npos) {
      remember(*option, word.substr(equals + 1));
    } else {
      option_ = option;
    }
  }

  void remember(const CLI::Option& option, const std::string& value) {
    if (option.check_lname("config-dir")) chosen_.config_folder = value;
    if (option.check_lname("config-name")) chosen_.config_name = value;
  }

  /// The positional argument that the next word is; null where there are enough.
  [[nodiscard]] const CLI::Option* open_positional() const {
    int taken = 0;
    for (const CLI::Option* option : command_->get_options()) {
      if (!option->get_positional()) continue;
      const int most = option->get_items_expected_max();
      if (passed_ - taken < most) return option;
      taken += most;
    }
    return nullptr;
  }

  [[nodiscard]] Completion options(const std::string& word) const {
    Completion completion;
    for (const CLI::Option* option : command_->get_options()) {
      if (option->get_positional()) continue;
      for (const std::string& name : option->get_lnames()) {
        if (("--" + name).starts_with(word)) {
          completion.candidates.push_back({.word = "--" + name, .help = option->get_description()});
        }
      }
      for (const std::string& name : option->get_snames()) {
        if (word.size() == 2 && word == "-" + name) {
          completion.candidates.push_back({.word = word, .help = option->get_description()});
        }
      }
    }
    return completion;
  }

  /// Values of an option that begin with `typed`, with `before` in front.
  [[nodiscard]] Completion values(const CLI::Option& option,
                                  const std::string& typed,
                                  const std::string& before) const {
    static const std::set<std::string> kNumbers = {"INT", "UINT", "FLOAT", "NUMBER", "POSITIVE"};
    // Types whose words the program knows, but which are too many for a type's name.
    static const std::map<std::string, std::vector<Candidate> (*)(const ConfigArguments&)> kNamed =
        {{"ITEM", paper_words},
         {"JUDGE", judge_words},
         {"METRIC", metric_words},
         {"METRIC or all", metric_or_all_words}};
    const std::string type = option.get_type_name();
    Completion completion;
    if (type == "OVERRIDE") {
      completion = override_words(chosen_, typed);
    } else if (type == "KEY") {
      completion = key_words(chosen_, typed);
    } else if (type == "CONFIG") {
      completion = primary_config_words(chosen_, typed);
    } else if (type == "GROUP/OPTION|KEY") {
      completion = describable_words(chosen_, typed);
    } else if (const auto named = kNamed.find(type); named != kNamed.end()) {
      completion = beginning_with(named->second(chosen_), typed);
    } else if (type == "FOLDER") {
      completion.files = OfferedFiles::kFolders;
    } else if (const auto words = words_of(type); !words.empty()) {
      std::vector<Candidate> candidates;
      for (const std::string& word : words) candidates.push_back({.word = word, .help = ""});
      completion = beginning_with(std::move(candidates), typed);
    } else if (!kNumbers.contains(type.substr(0, type.find(':')))) {
      completion.files = OfferedFiles::kFiles;
    }
    for (Candidate& candidate : completion.candidates) candidate.word = before + candidate.word;
    return completion;
  }

  const CLI::App* command_;
  const CLI::Option* option_ = nullptr;  // whose value comes next
  int passed_ = 0;                       // positional words of the command
  ConfigArguments chosen_;
};

}  // namespace

Completion complete(const CLI::App& program, const std::vector<std::string>& words) {
  if (words.empty()) return {};
  Walk walk(program);
  for (size_t i = 0; i + 1 < words.size(); ++i) walk.pass(words[i]);
  return walk.complete(words.back());
}

std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool is_open = false;  // a word has begun
  char quote = '\0';
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool is_blank = c == ' ' || c == '\t' || c == '\n';
    if (quote == '\0' && is_blank) {
      if (is_open) words.push_back(word);
      word.clear();
      is_open = false;
      continue;
    }
    is_open = true;
    if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = '\0';
    } else if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      word += line[++i];
    } else {
      word += c;
    }
  }
  words.push_back(word);
  return words;
}

}  // namespace kvscope
