#include "experiments/explore/explorer_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "experiments/explore/page_sources.h"
#include "experiments/explore/record_payload.h"
#include "experiments/report/drawing/colours.h"
#include "experiments/report/text.h"

namespace kvscope {
namespace {

using nlohmann::json;

std::string hex(const InkColour& colour) {
  const auto part = [](double value) { return static_cast<int>(std::lround(255 * value)); };
  return fmt::format("{:02x}{:02x}{:02x}", part(colour.red), part(colour.green), part(colour.blue));
}

json colours_json() {
  constexpr int kShades = 256;
  std::string scale;
  for (int shade = 0; shade < kShades; ++shade) scale += hex(viridis(shade / (kShades - 1.0)));
  json series = json::array();
  for (size_t i = 0; i + 1 < series_colour_count(); ++i) {  // the last is ink, unseen on dark
    series.push_back("#" + hex(series_colour(i)));
  }
  return {{"scale", scale}, {"series", series}};
}

/// JSON that may stand inside a script element: nothing in it ends one or begins a comment.
std::string script_json(const std::string& text) {
  std::string safe;
  for (const char letter : text) {
    if (letter == '<') {
      safe += "\\u003c";
    } else {
      safe += letter;
    }
  }
  return safe;
}

/// `text` with every {{name}} replaced; what is put in is not looked at again.
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

std::string title_of(std::span<const ExploredRecord> records) {
  const auto name = [](const ExploredRecord& one) {
    return one.record.model.empty() ? one.file : one.record.model;
  };
  const std::string first = "Attention of " + name(records.front());
  if (records.size() == 1) return first;
  if (name(records[0]) != name(records[1])) return first + " and " + name(records[1]);
  return fmt::format("{}: {} and {}", first, records[0].file, records[1].file);
}

}  // namespace

ExplorerPage explorer_page(std::span<const ExploredRecord> records, int64_t most_map_bytes) {
  ExplorerPage page;
  std::vector<std::string> described;
  std::string blocks;
  for (size_t i = 0; i < records.size(); ++i) {
    const RecordPayload payload =
        record_payload(records[i].record, records[i].file, std::string(1, "ab"[i]),
                       most_map_bytes / std::ssize(records));
    described.push_back(payload.description);
    for (const PageBlock& block : payload.blocks) {
      blocks += fmt::format("<script type=\"text/plain\" id=\"{}\">{}</script>\n", block.name,
                            block.base64);
    }
    for (const std::string& note : payload.notes) {
      page.notes.push_back(records.size() > 1 ? records[i].file + ": " + note : note);
    }
  }
  const std::string data =
      fmt::format("<script type=\"application/json\" id=\"records\">{}</script>\n{}",
                  script_json(fmt::format("{{\"records\":[{}],\"colours\":{}}}",
                                          fmt::join(described, ","), colours_json().dump())),
                  blocks);
  page.html = filled(kExplorerHtml, {{"title", escape_xml(title_of(records))},
                                     {"style", std::string(kExplorerStyle)},
                                     {"data", data},
                                     {"script", std::string(kExplorerScript)}});
  return page;
}

}  // namespace kvscope
