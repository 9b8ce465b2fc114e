#include "experiments/commands/config/config_batch.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json_finding.h"
#include "core/config/compose.h"
#include "experiments/commands/config/config_answers.h"
#include "experiments/commands/config/config_request.h"

namespace kvscope {
namespace {

using Json = nlohmann::ordered_json;

ComposeRequest request_of(const Json& json) {
  ComposeRequest request = tree_request(json.at("config_dir").get<std::string>());
  request.config_name = json.value("config_name", "config");
  request.overrides = json.value("overrides", std::vector<std::string>());
  if (json.contains("cwd")) request.working_folder = json["cwd"].get<std::string>();
  if (json.contains("job_number")) request.job_number = json["job_number"].get<int64_t>();
  if (json.contains("env")) {
    const auto variables = json["env"].get<std::map<std::string, std::string>>();
    request.environment = [variables](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
  }
  return request;
}

Json request_error(const std::string& message) {
  return {{"error", {{"stage", "request"}, {"message", message}}}};
}

Json answer_to(const std::string& line) {
  try {
    const Json request = Json::parse(line);
    if (request.contains("parse")) return parse_answer(request["parse"].get<std::string>());
    if (request.contains("compose")) return compose_answer(request_of(request["compose"]));
    if (request.contains("expand")) return expand_answer(request_of(request["expand"]));
    return request_error("expected an object with the key 'parse', 'compose' or 'expand'");
  } catch (const Json::exception& error) {
    return request_error(json_finding(error));
  }
}

}  // namespace

void answer_requests(std::istream& requests, std::ostream& answers) {
  for (std::string line; std::getline(requests, line);) {
    answers << one_line(answer_to(line)) << '\n' << std::flush;
  }
}

}  // namespace kvscope
