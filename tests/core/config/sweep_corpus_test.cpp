#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/grammar.h"
#include "core/config/sweep.h"
#include "hydra_corpus.h"

namespace kvscope {
namespace {

std::string param_text(const OrderedJson& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

ComposeRequest request_of(const OrderedJson& test_case) {
  ComposeRequest request;
  request.folders = {hydra_folder() + "/" + test_case["conf"].get<std::string>()};
  request.config_name = test_case["config_name"];
  request.overrides = test_case["overrides"].get<std::vector<std::string>>();
  if (test_case.contains("sweeper_params")) {
    // The corpus gives them apart; in an experiment they stand in the file.
    std::string map;
    for (const auto& [key, value] : test_case["sweeper_params"].items()) {
      map += (map.empty() ? "" : ",") + key + ":'" + param_text(value) + "'";
    }
    request.overrides.push_back("hydra.sweeper.params={" + map + "}");
  }
  return request;
}

/// The points as Hydra lists them: hydra's own arguments apart.
std::vector<std::vector<std::string>> job_overrides(std::vector<std::vector<std::string>> points) {
  for (std::vector<std::string>& point : points) {
    std::erase_if(point, [](const std::string& text) { return text.starts_with("hydra."); });
  }
  return points;
}

std::string check_composed(const ComposeRequest& request,
                           const std::vector<std::vector<std::string>>& points,
                           const OrderedJson& composed) {
  for (size_t i = 0; i < composed.size(); ++i) {
    ComposeRequest job = request;
    job.overrides = points[i];
    job.multirun = true;
    job.job_number = static_cast<int64_t>(i);
    const OrderedJson& expected = composed[i];
    try {
      const Composition got = compose(job);
      if (expected.contains("error")) return fmt::format("job {} composed", i);
      if (expected.contains("cfg") && !(got.config == corpus_node(expected["cfg"]))) {
        return fmt::format("job {}: {}", i, to_yaml(got.config));
      }
      const std::string& dirname = got.hydra.at("job.override_dirname").as_string();
      if (dirname != expected["override_dirname"]) return fmt::format("job {}: {}", i, dirname);
    } catch (const Error& error) {
      if (!expected.contains("error")) return fmt::format("job {}: {}", i, error.what());
    }
  }
  return "";
}

class SweepCorpus : public testing::TestWithParam<CorpusCase> {};

TEST_P(SweepCorpus, AgreesWithHydra) {
  const OrderedJson& test_case = GetParam().json;
  const ComposeRequest request = request_of(test_case);
  std::optional<std::vector<std::vector<std::string>>> points;
  std::string error;
  try {
    points = expand_sweep(request);
  } catch (const Error& caught) {
    EXPECT_EQ(caught.kind(), ErrorKind::kConfig);
    error = caught.what();
  }
  std::string differences;
  for (const OrderedJson& answer : accepted_answers(test_case)) {
    if (answer.contains("error")) {
      if (!points) return;
      differences += "expanded, but Hydra says: " + answer["error"]["message"].get<std::string>();
      continue;
    }
    if (!points) {
      differences += "failed: " + error;
      continue;
    }
    const auto expected = answer["jobs"].get<std::vector<std::vector<std::string>>>();
    if (job_overrides(*points) != expected) {
      differences += testing::PrintToString(job_overrides(*points)) + " expected " +
                     testing::PrintToString(expected) + "\n";
      continue;
    }
    const std::string difference = check_composed(request, *points, answer["composed"]);
    if (difference.empty()) return;
    differences += difference;
  }
  ADD_FAILURE() << test_case["overrides"] << "\n" << differences;
}

INSTANTIATE_TEST_SUITE_P(Hydra,
                         SweepCorpus,
                         testing::ValuesIn(corpus_cases("sweeps.json")),
                         test_name);

}  // namespace
}  // namespace kvscope
