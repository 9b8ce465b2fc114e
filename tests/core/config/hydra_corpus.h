#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/config/big_integer.h"
#include "core/config/value.h"
#include "test_paths.h"

namespace kvscope {

using OrderedJson = nlohmann::ordered_json;

inline std::string hydra_folder() {
  return std::string(kSourceDir) + "/tests/golden/hydra";
}

inline OrderedJson load_corpus(const std::string& file) {
  std::ifstream stream(hydra_folder() + "/" + file);
  return OrderedJson::parse(stream);
}

/// One case of a corpus file, printed as its name.
struct CorpusCase {
  std::string name;
  OrderedJson json;
};

inline void PrintTo(const CorpusCase& one, std::ostream* stream) {
  *stream << one.name;
}

inline std::vector<CorpusCase> corpus_cases(const std::string& file) {
  std::vector<CorpusCase> cases;
  const OrderedJson corpus = load_corpus(file);
  for (const OrderedJson& json : corpus["cases"]) cases.push_back({json["name"], json});
  return cases;
}

/// The corpus' encoding of configs: see its README; integers and floats differ, maps keep their
/// order.
inline ConfigNode corpus_node(const OrderedJson& json) {
  if (json.is_null()) return {};
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    ConfigNode list = ConfigNode::list();
    for (const OrderedJson& item : json) list.items().push_back(corpus_node(item));
    return list;
  }
  if (json.size() == 1 && json.contains("__float__")) {
    return std::stod(json["__float__"].get<std::string>());
  }
  if (json.size() == 1 && json.contains("__int__")) {
    return integer_node(json["__int__"].get<std::string>());
  }
  ConfigNode map = ConfigNode::map();
  if (json.size() == 1 && json.contains("__map__")) {
    for (const OrderedJson& pair : json["__map__"]) {
      const ConfigNode key = corpus_node(pair[0]);
      const std::string name = pair[0].is_string() ? key.as_string() : pair[0].dump();
      map.entries().push_back({name, corpus_node(pair[1]), key.kind()});
    }
    return map;
  }
  for (const auto& [key, value] : json.items()) map.entries().push_back({key, corpus_node(value)});
  return map;
}

/// Hydra 1.3's answer and, where it differs, 1.4's: either is right.
inline std::vector<OrderedJson> accepted_answers(const OrderedJson& test_case) {
  std::vector<OrderedJson> answers{test_case["expect"]};
  if (test_case.contains("expect_1_4")) {
    OrderedJson newer = test_case["expect"];
    const OrderedJson& changes = test_case["expect_1_4"];
    if (!changes.contains("error")) newer.erase("error");
    for (const auto& [key, value] : changes.items()) newer[key] = value;
    answers.push_back(newer);
  }
  return answers;
}

inline std::string test_name(const testing::TestParamInfo<CorpusCase>& parameter) {
  std::string name = parameter.param.name;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

}  // namespace kvscope
