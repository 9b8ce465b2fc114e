#include "experiments/sweep/text_overrides.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "core/base/error.h"
#include "core/config/override.h"
#include "experiments/sweep/run_keys.h"

namespace kvscope {
namespace {

const std::set<std::string>& text_keys() {
  static const std::set<std::string> keys = [] {
    std::set<std::string> found = {"hydra.run.dir", "hydra.sweep.dir"};
    std::vector<RunKey> all = run_keys();
    std::ranges::move(policy_keys(ComponentRegistry()), std::back_inserter(all));
    for (const RunKey& key : all) {
      if (key.option.is_text) found.insert(key.option.key);
    }
    return found;
  }();
  return keys;
}

/// "${" that is to stay so: with a backslash, and those before it doubled.
std::string without_interpolations(const std::string& text) {
  std::string out;
  size_t slashes = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "${") == 0) out.append(slashes + 1, '\\');
    slashes = text[i] == '\\' ? slashes + 1 : 0;
    out += text[i];
  }
  return out;
}

/// Whether the grammar takes the override, and as what it is meant.
bool is_readable(const std::string& input, bool multirun) {
  try {
    const Override override = parse_override(input);
    return multirun || override.key != "prompt" || !override.is_sweep();
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::string quoted_text(const std::string& text) {
  GrammarValue value;
  value.kind = ConfigKind::kString;
  value.scalar = without_interpolations(text);
  value.quote = '\'';
  return value.text();
}

std::vector<std::string> with_quoted_texts(std::vector<std::string> overrides, bool multirun) {
  for (std::string& input : overrides) {
    const size_t equal = input.find('=');
    const size_t start = input.find_first_not_of('+');
    if (equal == input.npos || start >= equal || is_readable(input, multirun)) continue;
    if (!text_keys().contains(input.substr(start, equal - start))) continue;
    input = input.substr(0, equal + 1) + quoted_text(input.substr(equal + 1));
  }
  return overrides;
}

}  // namespace kvscope
