#include "experiments/report/page_template.h"

#include <fmt/format.h>

#include <cmath>

namespace kvscope {

std::string filled(std::string_view text, const std::map<std::string, std::string>& contents) {
  std::string result;
  while (true) {
    const size_t begin = text.find("{{");
    result += text.substr(0, begin);
    if (begin == text.npos) return result;
    const size_t end = text.find("}}", begin);
    result += contents.at(std::string(text.substr(begin + 2, end - begin - 2)));
    text.remove_prefix(end + 2);
  }
}

std::string script_json(const std::string& json) {
  std::string safe;
  safe.reserve(json.size());
  for (const char letter : json) {
    if (letter == '<') {
      safe += "\\u003c";
    } else {
      safe += letter;
    }
  }
  return safe;
}

std::string css_colour(const InkColour& colour) {
  const auto part = [](double value) { return static_cast<int>(std::lround(255 * value)); };
  return fmt::format("#{:02x}{:02x}{:02x}", part(colour.red), part(colour.green),
                     part(colour.blue));
}

}  // namespace kvscope
