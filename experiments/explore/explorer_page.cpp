#include "experiments/explore/explorer_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "experiments/explore/page_sources.h"
#include "experiments/explore/record_payload.h"
#include "experiments/report/drawing/colours.h"
#include "experiments/report/page_template.h"
#include "experiments/report/text.h"

namespace kvscope {
namespace {

using nlohmann::json;

json colours_json() {
  constexpr int kShades = 256;
  std::string scale;
  for (int shade = 0; shade < kShades; ++shade)
    scale += css_colour(viridis(shade / (kShades - 1.0))).substr(1);
  json series = json::array();
  for (size_t i = 0; i + 1 < series_colour_count(); ++i) {  // the last is ink, unseen on dark
    series.push_back(css_colour(series_colour(i)));
  }
  return {{"scale", scale}, {"series", series}};
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
