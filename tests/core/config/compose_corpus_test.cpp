#include <algorithm>
#include <iostream>
#include <map>

#include "core/base/error.h"
#include "core/config/compose.h"
#include "core/config/format.h"
#include "hydra_corpus.h"

namespace kvscope {
namespace {

/// Cases of the corpus that this version does not follow, each with the reason.
const std::map<std::string, std::string>& out_of_scope() {
  static const std::map<std::string, std::string> reasons{};
  return reasons;
}

ComposeRequest request_of(const OrderedJson& test_case) {
  ComposeRequest request;
  request.folders = {hydra_folder() + "/" + test_case["conf"].get<std::string>()};
  request.config_name = test_case["config_name"];
  request.overrides = test_case["overrides"].get<std::vector<std::string>>();
  request.job_name = "app";
  request.working_folder = hydra_folder() + "/" + test_case.value("cwd", "");
  const auto variables = test_case.value("env", std::map<std::string, std::string>());
  request.environment = [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  return request;
}

/// What differs from one accepted answer; empty if nothing does.
std::string difference(const OrderedJson& answer,
                       const std::optional<Composition>& composed,
                       const std::string& error) {
  if (answer.contains("error")) {
    return composed ? "composed, but Hydra says: " + answer["error"]["message"].get<std::string>()
                    : "";
  }
  if (!composed) return "failed: " + error;
  const ConfigNode expected = corpus_node(answer["cfg"]);
  if (!(composed->config == expected)) {
    return "cfg:\n" + to_yaml(composed->config) + "expected:\n" + to_yaml(expected);
  }
  const ConfigNode unresolved = corpus_node(answer["cfg_unresolved"]);
  if (!(composed->unresolved == unresolved)) {
    return "cfg_unresolved:\n" + to_yaml(composed->unresolved) + "expected:\n" +
           to_yaml(unresolved);
  }
  std::map<std::string, std::string> choices(composed->choices.begin(), composed->choices.end());
  std::map<std::string, std::string> expected_choices;
  for (const auto& [key, value] : answer["choices"].items()) {
    expected_choices[key] = value.is_null() ? "null" : value.get<std::string>();
  }
  if (choices != expected_choices) return "choices: " + testing::PrintToString(choices);
  const OrderedJson hydra = answer.value("hydra", OrderedJson::object());
  for (const auto& [path, value] : hydra.items()) {
    const bool resolved = path.ends_with(" (resolved)");
    const bool has_resolved = hydra.contains(path + " (resolved)");
    const ConfigNode* got = composed->hydra.find(path.substr(0, path.find(' ')));
    const bool interpolated =
        value.is_string() && value.get<std::string>().find("${") != std::string::npos;
    if (!resolved && (has_resolved || interpolated)) continue;
    if (!got || !(*got == corpus_node(value))) {
      return "hydra." + path + ": " + (got ? to_yaml(*got) : "absent") + " expected " +
             value.dump();
    }
  }
  return "";
}

class ComposeCorpus : public testing::TestWithParam<CorpusCase> {};

TEST_P(ComposeCorpus, AgreesWithHydra) {
  const OrderedJson& test_case = GetParam().json;
  if (const auto reason = out_of_scope().find(test_case["name"]); reason != out_of_scope().end()) {
    GTEST_SKIP() << reason->second;
  }
  std::optional<Composition> composed;
  std::string error;
  try {
    composed = compose(request_of(test_case));
  } catch (const Error& caught) {
    error = caught.what();
    EXPECT_EQ(caught.kind(), ErrorKind::kConfig);
    EXPECT_FALSE(error.empty());
  }
  std::vector<std::string> differences;
  for (const OrderedJson& answer : accepted_answers(test_case)) {
    differences.push_back(difference(answer, composed, error));
    if (differences.back().empty()) return;
  }
  for (const std::string& text : differences)
    ADD_FAILURE() << test_case["overrides"] << "\n" << text;
}

INSTANTIATE_TEST_SUITE_P(Hydra,
                         ComposeCorpus,
                         testing::ValuesIn(corpus_cases("cases.json")),
                         test_name);

TEST(ComposeCorpusScope, CountsWhatIsOutOfScope) {
  const std::vector<CorpusCase> cases = corpus_cases("cases.json");
  EXPECT_EQ(cases.size(), 194);
  for (const auto& [name, reason] : out_of_scope()) {
    EXPECT_TRUE(std::ranges::any_of(cases, [&](const auto& one) { return one.name == name; }))
        << name;
    std::cout << "out of scope: " << name << ": " << reason << "\n";
  }
  EXPECT_EQ(out_of_scope().size(), 0);
}

}  // namespace
}  // namespace kvscope
