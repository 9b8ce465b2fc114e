#include "experiments/report/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "experiments/report/drawing/svg_ids.h"
#include "experiments/report/page_sources.h"
#include "experiments/report/page_template.h"
#include "experiments/report/text.h"

namespace kvscope {
namespace {

std::string figure_caption(const std::string& caption) {
  return caption.empty() ? "" : "<figcaption>" + escape_xml(caption) + "</figcaption>\n";
}

// Writes one block; `index` is unique in the page.
struct BlockWriter {
  size_t index = 0;

  std::string operator()(const Paragraph& paragraph) const {
    std::string html;
    for (size_t begin = 0; begin <= paragraph.text.size();) {
      const size_t end = std::min(paragraph.text.find("\n\n", begin), paragraph.text.size());
      if (end > begin)
        html += "<p>" + escape_xml(paragraph.text.substr(begin, end - begin)) + "</p>\n";
      begin = end + 2;
    }
    return html;
  }
  std::string operator()(const Table& table) const { return html_table(table); }
  std::string operator()(const SvgFigure& figure) const {
    return fmt::format("<figure class=\"drawing{}\">\n", figure.is_fallback ? " fallback" : "") +
           inline_svg(figure.svg, fmt::format("f{}-", index)) + figure_caption(figure.caption) +
           "</figure>\n";
  }
  std::string operator()(const ImageGrid& grid) const {
    std::string html = fmt::format("<figure class=\"images\">\n<div class=\"scroll\"><table{}>\n",
                                   grid.pixelated ? " class=\"pixelated\"" : "");
    if (!grid.title.empty()) html += "<caption>" + escape_xml(grid.title) + "</caption>\n";
    html += "<thead><tr><td></td>";
    for (const std::string& prompt : grid.prompts) {
      html += "<th scope=\"col\"><span>" + escape_xml(prompt) + "</span></th>";
    }
    html += "</tr></thead>\n<tbody>\n";
    for (const GridRow& row : grid.rows) html += row_html(grid, row);
    return html + "</tbody></table></div>\n" + figure_caption(grid.caption) + "</figure>\n";
  }

 private:
  static std::string row_html(const ImageGrid& grid, const GridRow& row) {
    std::string html =
        fmt::format("<tr data-point=\"{}\" data-reference=\"{}\"><th scope=\"row\"><b>{}</b>",
                    escape_xml(row.point), escape_xml(row.reference), escape_xml(row.label));
    for (const std::string& detail : row.details) {
      html += "<small>" + escape_xml(detail) + "</small>";
    }
    html += "</th>";
    for (size_t i = 0; i < row.images.size(); ++i) {
      const GridImage& image = row.images[i];
      if (image.png.empty()) {
        html += "<td class=\"missing\" title=\"no image of this prompt and seed\">—</td>";
        continue;
      }
      html += fmt::format(
          "<td><img alt=\"{}: {}\" width=\"{}\" height=\"{}\" loading=\"lazy\" "
          "decoding=\"async\" src=\"data:image/png;base64,{}\"></td>",
          escape_xml(row.label), escape_xml(grid.prompts.at(i)), image.width_px, image.height_px,
          base64(image.png));
    }
    return html + "</tr>\n";
  }
};

std::string provenance_html(const ReportPage& page) {
  if (page.provenance.empty() && page.points.empty()) return "";
  std::string html = "<section id=\"provenance\">\n<h2>Provenance</h2>\n<dl class=\"facts\">\n";
  for (const auto& [key, value] : page.provenance) {
    html +=
        fmt::format("<dt>{}</dt><dd><code>{}</code></dd>\n", escape_xml(key), escape_xml(value));
  }
  html += "</dl>\n";
  if (!page.points.empty()) {
    html += fmt::format("<details><summary>{} points</summary><p class=\"points\">",
                        page.points.size());
    for (const std::string& point : page.points) html += "<code>" + escape_xml(point) + "</code> ";
    html += "</p></details>\n";
  }
  return html + "</section>\n";
}

std::string section_id(const ReportPage& page, size_t index) {
  const std::string& id = page.sections[index].id;
  return id.empty() ? fmt::format("s{}", index) : id;
}

std::string header_html(const ReportPage& page, const std::string& provenance) {
  std::string html = "<header>\n<div><h1>" + escape_xml(page.title) + "</h1>\n";
  if (!page.subtitle.empty()) {
    html += "<p class=\"subtitle\">" + escape_xml(page.subtitle) + "</p>\n";
  }
  html += "</div>\n<div id=\"switches\"></div>\n</header>\n";
  if (page.sections.size() < 2) return html;
  html += "<nav aria-label=\"Sections\">";
  for (size_t i = 0; i < page.sections.size(); ++i) {
    html += fmt::format("<a href=\"#{}\">{}</a> ", section_id(page, i),
                        escape_xml(page.sections[i].title));
  }
  if (!provenance.empty()) html += "<a href=\"#provenance\">Provenance</a>";
  return html + "</nav>\n";
}

}  // namespace

std::string inline_svg(const std::string& svg, const std::string& prefix) {
  const size_t root = svg.find("<svg");
  if (root == std::string::npos) {
    throw Error(ErrorKind::kConfig, "a figure of the page is no SVG: it has no <svg> element");
  }
  return rename_svg_ids(svg.substr(root), [&](const std::string& id) { return prefix + id; });
}

std::string page_html(const ReportPage& page) {
  const std::string provenance = provenance_html(page);
  std::string body = header_html(page, provenance) + "<main>\n";
  size_t block_index = 0;
  for (size_t i = 0; i < page.sections.size(); ++i) {
    body += fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n", section_id(page, i),
                        escape_xml(page.sections[i].title));
    for (const ReportBlock& block : page.sections[i].blocks) {
      body += std::visit(BlockWriter{block_index++}, block);
    }
    body += "</section>\n";
  }
  body += provenance + "</main>\n";
  const std::string data = page.data.empty() ? ""
                                             : "<script type=\"application/json\" id=\"data\">" +
                                                   script_json(page.data) + "</script>\n";
  return filled(kReportHtml, {{"title", escape_xml(page.title)},
                              {"style", std::string(kReportStyle)},
                              {"body", body},
                              {"data", data},
                              {"script", std::string(kReportScript)}});
}

void write_page(const std::filesystem::path& path, const ReportPage& page) {
  write_file_atomically(path, page_html(page));
}

}  // namespace kvscope
