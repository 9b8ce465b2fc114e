#include "experiments/report/drawing/svg_ids.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace kvscope {

std::string rename_svg_ids(const std::string& svg,
                           const std::function<std::string(const std::string&)>& rename) {
  struct Form {
    std::string_view before;
    char after;
  };
  static constexpr std::array<Form, 3> kForms{{{" id=\"", '"'}, {"href=\"#", '"'}, {"url(#", ')'}}};
  std::array<size_t, 3> next;  // of each form; searched again only when passed, so one walk in all
  next.fill(0);
  std::string out;
  size_t at = 0;
  const auto seek = [&](size_t form) { next[form] = svg.find(kForms[form].before, at); };
  for (size_t form = 0; form < kForms.size(); ++form) seek(form);
  while (true) {
    const auto nearest = std::min_element(next.begin(), next.end());
    if (*nearest == std::string::npos) break;
    const auto form = static_cast<size_t>(nearest - next.begin());
    const size_t begin = *nearest + kForms[form].before.size();
    const size_t end = std::min(svg.find(kForms[form].after, begin), svg.size());
    out.append(svg, at, begin - at);
    out += rename(svg.substr(begin, end - begin));
    at = end;
    for (size_t other = 0; other < kForms.size(); ++other) {
      if (next[other] < at) seek(other);
    }
  }
  return out.append(svg, at, std::string::npos);
}

}  // namespace kvscope
