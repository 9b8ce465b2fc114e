// Whatever is misspelt by one or two letters, the answer names what was meant: keys, options of
// groups, words, components, commands and options, on the command line and in files. The
// misspellings are made by seed, from all names there are.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <regex>
#include <set>
#include <sstream>

#include "core/config/declared_words.h"
#include "core/config/override.h"
#include "core/config/repository.h"
#include "experiments/sweep/configuration.h"
#include "experiments/sweep/run_keys.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Insertions, deletions, replacements and swaps of neighbours, by their definition.
size_t distance_of(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> table(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        table[i][j] = i + j;
        continue;
      }
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      table[i][j] =
          std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
      }
    }
  }
  return table[a.size()][b.size()];
}

class Misspelling : public testing::Test {
 protected:
  Misspelling()
      : folder_(fs::path(testing::TempDir()) / "kvscope_misspelling"), before_(fs::current_path()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "empty");
    fs::current_path(folder_ / "empty");
  }
  ~Misspelling() override {
    EXPECT_TRUE(fs::is_empty(folder_ / "empty")) << "something was written";
    fs::current_path(before_);
    fs::remove_all(folder_);
  }
  Misspelling(const Misspelling&) = delete;
  Misspelling& operator=(const Misspelling&) = delete;

  size_t below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random_); }

  /// A word one or two edits away. Letters in front of `from` stay.
  std::string misspelt(const std::string& word, size_t from = 0) {
    static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz_";
    std::string text = word;
    const size_t edits = 1 + below(2);
    for (size_t edit = 0; edit < edits; ++edit) {
      const size_t at = from + below(std::max<size_t>(1, text.size() - from));
      const char letter = kLetters[below(kLetters.size())];
      const size_t kind = below(4);
      if (kind == 0) {
        text.insert(at, 1, letter);
      } else if (kind == 1 && text.size() > from + 2) {
        text.erase(at, 1);
      } else if (kind == 2 && at + 1 < text.size()) {
        std::swap(text[at], text[at + 1]);
      } else {
        text[at] = letter;
      }
    }
    return text;
  }

  /// Whether the program refuses the words, with exit code 2, and names one of `known` that is as
  /// near to `typed` as `meant` is.
  void expect_meant(const std::vector<std::string>& words,
                    const std::string& typed,
                    const std::string& meant,
                    const std::set<std::string>& known,
                    const std::string& place = "") {
    constexpr size_t kTypos = 2;
    if (distance_of(typed, meant) > kTypos) return;  // two edits between two swapped letters
    ++count_;
    const Answer refused = answer(words);
    const std::string shown = fmt::format("kvscope {}\n{}", fmt::join(words, " "), refused.err);
    ASSERT_EQ(refused.exit_code, 2) << shown;
    static const std::regex kMeant("Did you mean (?:the group )?'([^']+)'");
    std::smatch match;
    ASSERT_TRUE(std::regex_search(refused.err, match, kMeant)) << "meant: " << meant << "\n"
                                                               << shown;
    EXPECT_TRUE(known.contains(match[1])) << match[1] << " is no name\n" << shown;
    EXPECT_LE(distance_of(typed, match[1]), distance_of(typed, meant)) << "meant: " << meant << "\n"
                                                                       << shown;
    EXPECT_THAT(refused.err, HasSubstr(place)) << shown;
  }

  /// The words that may follow, as completion knows them.
  static std::vector<std::string> offered(std::vector<std::string> words) {
    words.insert(words.begin(), {"complete", "--"});
    std::istringstream lines(answer(words).out);
    std::vector<std::string> all;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(':')) all.push_back(line.substr(0, line.find('\t')));
    }
    return all;
  }

  std::mt19937 random_{2026};
  fs::path folder_;
  fs::path before_;
  int count_ = 0;
};

std::vector<RunKey> all_keys() {
  std::vector<RunKey> keys = run_keys();
  for (RunKey& key : policy_keys(ComponentRegistry())) keys.push_back(std::move(key));
  return keys;
}

std::set<std::string> key_names() {
  std::set<std::string> names;
  for (const RunKey& key : all_keys()) names.insert(key.option.key);
  for (const std::string slot : {"allocate", "score", "protect", "store", "schedule", "read"}) {
    names.insert("policy." + slot);
    names.insert("policy." + slot + ".name");
  }
  names.insert({"policy.name", "policy.summary", "policy.source"});
  return names;
}

/// Whether the text is a key of its own, or lies on the way to one or below one.
bool is_known(const std::string& text, const std::set<std::string>& keys) {
  return std::ranges::any_of(keys, [&](const std::string& key) {
    return key == text || key.starts_with(text + ".") || text.starts_with(key + ".");
  });
}

bool is_key(const std::string& text) {
  static const std::regex kKey("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*");
  return std::regex_match(text, kKey);
}

TEST_F(Misspelling, OfKeysOnTheCommandLineAndInFiles) {
  const std::set<std::string> keys = key_names();
  ConfigRepository repository(compose_request({}).folders);
  const std::vector<std::string> groups = repository.groups();
  std::set<std::string> known = keys;
  known.insert(groups.begin(), groups.end());
  fs::create_directories(folder_ / "configs/experiment");
  for (const std::string& key : keys) {
    const std::string typed = misspelt(key);
    if (!is_key(typed) || is_known(typed, keys) || known.contains(typed)) continue;
    if (below(3) > 0) {
      expect_meant({"plan", typed + "=1"}, typed, key, known,
                   fmt::format("override '{}=1'", typed));
      continue;
    }
    std::string text = "1";
    std::istringstream parts(typed);
    std::vector<std::string> names;
    for (std::string part; std::getline(parts, part, '.');) names.push_back(part);
    for (size_t i = names.size(); i-- > 0;) {
      text = names[i] + ": " + (i + 1 < names.size() ? "{" + text + "}" : text);
    }
    std::ofstream(folder_ / "configs/experiment/mine.yaml") << "# @package _global_\n\n"
                                                            << text << "\n";
    const size_t column = text.find('1', text.rfind(names.back())) + 1;
    expect_meant({"plan", "-cd", (folder_ / "configs").string(), "+experiment=mine"}, typed, key,
                 known, fmt::format("configs/experiment/mine.yaml:3:{}: unknown key", column));
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(count_, 150);
}

TEST_F(Misspelling, OfGroupsAndTheirOptions) {
  ConfigRepository repository(compose_request({}).folders);
  const std::vector<std::string> groups = repository.groups();
  fs::create_directories(folder_ / "configs/experiment");
  for (const std::string& group : groups) {
    const std::vector<std::string> options = repository.options(group);
    const std::set<std::string> known(options.begin(), options.end());
    for (const std::string& option : options) {
      const std::string typed = misspelt(option, 1);
      if (known.contains(typed) || !is_key(typed) || repository.group_exists(group + "/" + typed)) {
        continue;
      }
      const bool is_chosen =
          std::set<std::string>{"policy", "budget", "gen", "prompts", "metrics", "model"}.contains(
              group);
      if (below(2) == 0) {
        expect_meant({"plan", (is_chosen ? "" : "+") + group + "=" + typed}, typed, option, known);
        continue;
      }
      std::ofstream(folder_ / "configs/experiment/mine.yaml")
          << "# @package _global_\ndefaults:\n  - " << (is_chosen ? "override " : "") << "/"
          << group << ": " << typed << "\n";
      expect_meant({"plan", "-cd", (folder_ / "configs").string(), "+experiment=mine"}, typed,
                   option, known, "configs/experiment/mine.yaml:3:");
      if (HasFatalFailure()) return;
    }
  }
  std::set<std::string> names(groups.begin(), groups.end());
  for (const std::string group : {"policy", "model", "budget", "metrics", "prompts"}) {
    const std::string typed = misspelt(group);
    const std::set<std::string> keys = key_names();
    if (names.contains(typed) || is_known(typed, keys) || !is_key(typed)) continue;
    std::set<std::string> known = names;
    known.insert(keys.begin(), keys.end());
    expect_meant({"plan", typed + "=" + repository.options(group).front()}, typed, group, known);
  }
  EXPECT_GT(count_, 80);
}

TEST_F(Misspelling, OfGroupsThatAreAdded) {
  const Answer refused = answer({"plan", "+experimnt=quickstart"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("+experiment=quickstart adds an option of it"));
}

TEST_F(Misspelling, OfDeclaredWordsAndComponents) {
  for (const RunKey& key : all_keys()) {
    const std::vector<std::string> words = declared_words(key.option);
    const bool is_of_run = key.readers.empty() && !key.option.key.starts_with("policy.");
    if (words.empty() || words.front() == "true") continue;
    const std::set<std::string> known(words.begin(), words.end());
    for (const std::string& word : words) {
      const std::string typed = misspelt(word, 1);
      if (known.contains(typed) || !is_key(typed) || typed == "null") continue;
      if (is_of_run) {
        expect_meant({"plan", key.option.key + "=" + typed}, typed, word, known);
      } else if (key.option.key.starts_with("policy.")) {
        const std::string slot = key.option.key.substr(0, key.option.key.find('.', 7));
        expect_meant({"plan", slot + "=" + key.readers.front(), key.option.key + "=" + typed},
                     typed, word, known);
      }
      if (HasFatalFailure()) return;
    }
  }
  const std::vector<ComponentInfo> components = ComponentRegistry().components();
  for (const ComponentInfo& component : components) {
    std::set<std::string> known;
    for (const ComponentInfo& other : components) {
      if (other.slot == component.slot) known.insert(other.name);
    }
    const std::string typed = misspelt(component.name, 1);
    if (known.contains(typed) || !is_key(typed)) continue;
    expect_meant({"plan", "policy." + component.slot + "=" + typed}, typed, component.name, known,
                 "policy." + component.slot);
  }
  EXPECT_GT(count_, 60);
}

TEST_F(Misspelling, OfCommandsAndOptions) {
  const auto misspell_commands = [&](const std::vector<std::string>& before) {
    std::vector<std::string> asked = before;
    asked.emplace_back("");
    const std::vector<std::string> names = offered(asked);
    const std::set<std::string> known(names.begin(), names.end());
    for (const std::string& name : names) {
      const std::string typed = misspelt(name);
      if (known.contains(typed) || typed == "complete") continue;
      std::vector<std::string> words = before;
      words.push_back(typed);
      expect_meant(words, typed, name, known);
    }
    return names;
  };
  std::vector<std::vector<std::string>> commands;
  for (const std::string& name : misspell_commands({})) {
    if (std::set<std::string>{"attention", "config", "device", "h5", "judge", "paper", "weights"}
            .contains(name)) {
      for (const std::string& below : misspell_commands({name})) commands.push_back({name, below});
    } else {
      commands.push_back({name});
    }
  }
  EXPECT_GT(commands.size(), 25U);
  for (const std::vector<std::string>& command : commands) {
    std::vector<std::string> asked = command;
    asked.emplace_back("--");
    const std::vector<std::string> names = offered(asked);
    std::set<std::string> known(names.begin(), names.end());
    for (const char* letter : {"-h", "-m", "-c", "-i", "-p", "-o"}) known.emplace(letter);
    for (const std::string& name : names) {
      const std::string typed = misspelt(name, below(2) * 2);
      if (known.contains(typed) || !typed.starts_with('-') || typed == "--") continue;
      std::vector<std::string> words = command;
      words.push_back(typed);
      expect_meant(words, typed, name, known);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(count_, 120);
}

TEST_F(Misspelling, OfADescribedKeyIsAnsweredWithTheNearestAndNoOther) {
  const Answer refused = answer({"describe", "gen.cgf"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("Did you mean 'gen.cfg'? All keys: kvscope list keys"));
  EXPECT_THAT(refused.err, testing::Not(HasSubstr("gen.images")));
}

TEST_F(Misspelling, OfHydrasOwnSettings) {
  const std::pair<const char*, const char*> cases[] = {
      {"hydra.rnu.dir=x", "run"},
      {"hydra.run.dri=x", "dir"},
      {"hydra.sweep.dirr=x", "dir"},
      {"hydra.sweeper.parms={seed:1}", "params"},
      {"+hydra.sweeper.block=[{seed:1}]", "blocks"},
      {"+hydra.sweeper.fliter=true", "filter"}};
  for (const auto& [typed, meant] : cases) {
    const Answer refused = answer({"plan", "-m", "seed=1,2", typed});
    EXPECT_EQ(refused.exit_code, 2) << typed;
    EXPECT_THAT(refused.err,
                testing::ContainsRegex(std::string("Did you mean '[a-z.]*") + meant + "'"))
        << typed;
  }
}

TEST_F(Misspelling, KeysAreNoOptionsAndOptionsNoKeys) {
  EXPECT_THAT(answer({"plan", "--gen.cfg=4"}).err, HasSubstr("without dashes: gen.cfg=4"));
  EXPECT_THAT(answer({"plan", "-multirun"}).err, HasSubstr("Did you mean '--multirun'?"));
  EXPECT_THAT(answer({"compare", "--agianst", "full"}).err, HasSubstr("Did you mean '--against'?"))
      << "though a folder is missing, too";
}

}  // namespace
}  // namespace kvscope
