#include "experiments/sweep/point_outcome.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr std::array<std::string_view, 5> kStates = {"done", "interrupted", "failed", "busy",
                                                     "elsewhere"};

}  // namespace

std::string_view name_of(PointOutcome::State state) {
  return kStates.at(static_cast<size_t>(state));
}

std::string to_json(const PointOutcome& outcome) {
  return nlohmann::ordered_json{{"state", name_of(outcome.state)},
                                {"message", outcome.message},
                                {"class", outcome.failure_class},
                                {"notes", outcome.notes}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

PointOutcome point_outcome(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_object() && json.contains("state") && json["state"].is_string() &&
      json.contains("message") && json["message"].is_string()) {
    for (size_t i = 0; i < kStates.size(); ++i) {
      if (json["state"].get<std::string>() != kStates[i]) continue;
      PointOutcome outcome{.state = static_cast<PointOutcome::State>(i),
                           .message = json["message"].get<std::string>()};
      if (json.contains("class") && json["class"].is_string()) {
        outcome.failure_class = json["class"].get<std::string>();
      }
      for (const auto& note : json.value("notes", nlohmann::json::array())) {
        if (note.is_string()) outcome.notes.push_back(note.get<std::string>());
      }
      return outcome;
    }
  }
  throw Error(ErrorKind::kInput, fmt::format("'{:.200}' is no outcome of a point; expected "
                                             "{{\"state\": \"done\", \"message\": \"\"}}",
                                             text));
}

}  // namespace kvscope
