#include "experiments/sweep/override_judge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/config/override.h"
#include "experiments/sweep/run_keys.h"

namespace kvscope {
namespace {

bool is_below(const std::string& key, const std::string& group) {
  return key == group || key.starts_with(group + ".");
}

/// The dotted keys of all values that are no mappings.
std::vector<std::string> keys_set_by(const ConfigNode& value, const std::string& key) {
  if (!value.is_map()) return {key};
  std::vector<std::string> keys;
  for (const ConfigEntry& entry : value.entries()) {
    for (std::string& below : keys_set_by(entry.value, key + "." + entry.name)) {
      keys.push_back(std::move(below));
    }
  }
  return keys;
}

/// Why a point has no use for an override; nullopt where it has.
std::optional<std::string> objection(const std::string& input,
                                     const Override& override,
                                     const Composition& composition,
                                     const std::vector<UnreadKey>& unread) {
  for (const auto& [text, why] : composition.without_effect) {
    if (text == input) return why;
  }
  // A mapping is of use where any of it is.
  const std::vector<std::string> keys = keys_set_by(override.node(), override.key);
  std::optional<std::string> why;
  for (const std::string& key : keys) {
    const auto found =
        std::ranges::find_if(unread, [&](const UnreadKey& one) { return is_below(key, one.key); });
    if (found == unread.end()) return std::nullopt;
    why = found->finding;
  }
  return why;
}

}  // namespace

OverrideJudge::Verdict& OverrideJudge::verdict(const std::string& key) {
  const auto found = std::ranges::find(verdicts_, key, &Verdict::key);
  return found == verdicts_.end() ? verdicts_.emplace_back(Verdict{.key = key}) : *found;
}

Composition OverrideJudge::compose(ComposeRequest& request,
                                   ConfigRepository& repository,
                                   const ComponentRegistry& components) {
  if (groups_.empty()) groups_ = repository.groups();
  while (true) {
    Composition composition = kvscope::compose(request, repository);
    if (!is_sweep_) {
      if (composition.without_effect.empty()) return composition;
      throw Error(ErrorKind::kConfig, composition.without_effect.front().second);
    }
    const std::vector<UnreadKey> unread = unread_keys(composition.config, components, groups_);
    std::vector<std::string> kept;
    std::vector<std::string> kept_keys;
    for (const std::string& input : request.overrides) {
      const Override override = parse_override(input);
      const auto why = objection(input, override, composition, unread);
      Verdict& verdict = this->verdict(override.key_element());
      if (!why) {
        kept.push_back(input);
        kept_keys.push_back(verdict.key);
      } else if (verdict.finding.empty() || why->find("Did you mean") != why->npos) {
        verdict.finding = *why;
      }
    }
    if (kept.size() == request.overrides.size()) {
      for (const std::string& key : kept_keys) verdict(key).is_read = true;
      return composition;
    }
    request.overrides = std::move(kept);  // what they stood for may have been read by nobody else
  }
}

void OverrideJudge::finish() const {
  std::vector<std::string> findings;
  for (const Verdict& verdict : verdicts_) {
    if (!verdict.is_read && !verdict.finding.empty()) findings.push_back(verdict.finding);
  }
  if (!findings.empty()) {
    throw Error(ErrorKind::kConfig, fmt::format("{}", fmt::join(findings, "\n")));
  }
}

}  // namespace kvscope
