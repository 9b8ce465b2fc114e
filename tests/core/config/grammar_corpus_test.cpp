#include <iostream>
#include <map>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/override.h"
#include "hydra_corpus.h"

namespace kvscope {
namespace {

/// Strings whose values are no values: what is made of them is for `config parse` to show.
const std::map<std::string, std::string>& out_of_scope() {
  static const std::map<std::string, std::string> reasons{
      {"a=choice(a,b),c", "a sweep inside a sweep"}};
  return reasons;
}

std::string check_sweep(const GrammarSweep& sweep, const OrderedJson& expected) {
  const std::string kind = expected["kind"];
  if (kind == "glob") {
    const bool same = sweep.include == expected["include"].get<std::vector<std::string>>() &&
                      sweep.exclude == expected["exclude"].get<std::vector<std::string>>();
    return same ? "" : "other patterns";
  }
  if (sweep.tags != expected.value("tags", std::vector<std::string>())) return "other tags";
  if (kind == "interval") {
    const bool same =
        sweep.start == corpus_node(expected["start"]) && sweep.stop == corpus_node(expected["end"]);
    return same ? "" : "other bounds";
  }
  if (sweep.shuffle != expected["shuffle"]) return "shuffle";
  ConfigNode values = ConfigNode::list();
  std::vector<std::string> texts;
  for (const GrammarValue& value : sweep.values) {
    values.items().push_back(value.node());
    texts.push_back(value.text());
  }
  const OrderedJson& list = expected[kind == "range" ? "first_items" : "list"];
  if (values.size() > 20) values.items().resize(20);
  if (!(values == corpus_node(list))) return "values " + to_yaml(values);
  if (expected.contains("strings") &&
      texts != expected["strings"].get<std::vector<std::string>>()) {
    return "texts " + testing::PrintToString(texts);
  }
  return "";
}

std::string check(const Override& got, const OrderedJson& expected) {
  static const std::map<std::string, OverrideKind> kKinds{{"CHANGE", OverrideKind::kChange},
                                                          {"ADD", OverrideKind::kAdd},
                                                          {"FORCE_ADD", OverrideKind::kForceAdd},
                                                          {"DEL", OverrideKind::kDelete}};
  if (got.kind != kKinds.at(expected["type"])) return "type";
  if (got.key != expected["key"]) return "key " + got.key;
  if (got.package.has_value() == expected["package"].is_null()) return "package";
  if (got.package && *got.package != expected["package"]) return "package " + *got.package;
  if (got.key_element() != expected["key_element"]) return "key element " + got.key_element();
  if (got.value.has_value() == expected["value_type"].is_null()) return "value";
  if (got.is_sweep() != expected.contains("sweep")) return "sweep";
  if (got.is_sweep()) return check_sweep(*got.value->sweep, expected["sweep"]);
  if (!got.value) return "";
  if (!(got.value->value.node() == corpus_node(expected["value"]))) {
    return "value " + to_yaml(got.value->value.node());
  }
  if (got.value->value.text() != expected["value_as_str"]) return "text " + got.value->value.text();
  return "";
}

TEST(GrammarCorpus, AgreesWithHydra) {
  const OrderedJson corpus = load_corpus("grammar.json");
  size_t cases = 0;
  for (const OrderedJson& test_case : corpus["cases"]) {
    ++cases;
    const std::string input = test_case["input"];
    if (const auto reason = out_of_scope().find(input); reason != out_of_scope().end()) {
      std::cout << "out of scope: " << input << ": " << reason->second << "\n";
      continue;
    }
    std::optional<Override> got;
    std::string error;
    try {
      got = parse_override(input);
    } catch (const Error& caught) {
      error = caught.what();
      EXPECT_NE(error.find(input), std::string::npos) << error;
    }
    std::string differences;
    bool agrees = false;
    for (const OrderedJson& answer : accepted_answers(test_case)) {
      if (answer.contains("error")) {
        agrees = agrees || !got;
        differences += got ? "parsed; " : "";
      } else {
        const std::string difference = got ? check(*got, answer) : error;
        agrees = agrees || difference.empty();
        differences += difference + "; ";
      }
    }
    EXPECT_TRUE(agrees) << input << "\n  " << differences << "\n  " << test_case["expect"].dump();
  }
  EXPECT_EQ(cases, 258);
  EXPECT_EQ(out_of_scope().size(), 1);
}

}  // namespace
}  // namespace kvscope
