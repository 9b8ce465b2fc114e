#include "experiments/commands/config/config_answers.h"

#include <algorithm>
#include <functional>

#include "core/base/error.h"
#include "core/config/composed_tree.h"
#include "core/config/override.h"
#include "core/config/sweep.h"
#include "experiments/commands/config/config_json.h"

namespace kvscope {
namespace {

using Json = nlohmann::ordered_json;

Json error_json(const char* stage, const Error& error) {
  return {{"stage", stage}, {"message", error.what()}};
}

/// Why an override cannot be parsed; null if all can.
Json parse_error(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    try {
      static_cast<void>(parse_override(word));
    } catch (const Error& error) {
      Json json = error_json("parse", error);
      json["override"] = word;
      return json;
    }
  }
  return nullptr;
}

Json choices_json(const std::vector<std::pair<std::string, std::string>>& choices) {
  Json json = Json::object();
  for (const auto& [group, option] : choices) {
    if (group.starts_with("hydra/")) continue;
    json[group] = option == "null" ? Json(nullptr) : Json(option);
  }
  return json;
}

void find_missing(const ConfigNode& node, const std::string& path, Json& keys) {
  if (node.is_missing()) keys.push_back(path);
  if (node.is_list()) {
    for (size_t i = 0; i < node.size(); ++i) {
      find_missing(node.items()[i], path + "[" + std::to_string(i) + "]", keys);
    }
  } else if (node.is_map()) {
    const std::string prefix = path.empty() ? "" : path + ".";
    for (const ConfigEntry& entry : node.entries()) {
      find_missing(entry.value, prefix + entry.name, keys);
    }
  }
}

}  // namespace

Json parse_answer(const std::string& word) {
  const Json error = parse_error({word});
  return error.is_null() ? override_json(parse_override(word)) : Json{{"error", error}};
}

Json compose_answer(const ComposeRequest& request) {
  const Json unparsed = parse_error(request.overrides);
  if (!unparsed.is_null()) return {{"error", unparsed}};
  Json answer = Json::object();
  ConfigRepository repository(request.folders);
  ComposedTree tree;
  try {
    tree = compose_tree(request, repository);
  } catch (const Error& error) {
    return {{"error", error_json("compose", error)}};
  }
  ConfigNode unresolved = tree.root;
  unresolved.erase("hydra");
  try {
    const Composition composition = resolve_tree(tree, request);
    answer["cfg"] = config_json(composition.config);
    answer["hydra"] = config_json(composition.hydra);
  } catch (const Error& error) {
    answer["error"] = error_json("resolve", error);
  }
  answer["cfg_unresolved"] = config_json(unresolved);
  answer["choices"] = choices_json(tree.choices);
  answer["missing_keys"] = Json::array();
  find_missing(unresolved, "", answer["missing_keys"]);
  return answer;
}

Json expand_answer(const ComposeRequest& request) {
  const Json unparsed = parse_error(request.overrides);
  if (!unparsed.is_null()) return {{"error", unparsed}};
  try {
    const ExpandedSweep sweep = expand_jobs(request);
    Json answer{{"jobs", sweep.jobs}, {"hydra_overrides", sweep.hydra_overrides}};
    if (sweep.max_batch_size) {
      answer["batches"] = Json::array();
      const size_t most = static_cast<size_t>(*sweep.max_batch_size);
      for (size_t done = 0; done < sweep.jobs.size(); done += most) {
        answer["batches"].push_back(std::min(most, sweep.jobs.size() - done));
      }
    }
    return answer;
  } catch (const Error& error) {
    return {{"error", error_json("expand", error)}};
  }
}

std::string one_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace kvscope
