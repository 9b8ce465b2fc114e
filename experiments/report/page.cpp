#include "experiments/report/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "experiments/report/drawing/svg_ids.h"
#include "experiments/report/page_style.h"
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
    return "<figure>\n" + inline_svg(figure.svg, fmt::format("f{}-", index)) +
           figure_caption(figure.caption) + "</figure>\n";
  }
  std::string operator()(const PngFigure& figure) const {
    const std::string& alternative =
        figure.alternative.empty() ? figure.caption : figure.alternative;
    return fmt::format(
        "<figure>\n<img alt=\"{}\"{}{} src=\"data:image/png;base64,{}\">\n{}</figure>\n",
        escape_xml(alternative),
        figure.width_px > 0 ? fmt::format(" width=\"{}\"", figure.width_px) : "",
        figure.pixelated ? " class=\"pixelated\"" : "", base64(figure.png),
        figure_caption(figure.caption));
  }
};

std::string provenance_html(const ReportPage& page) {
  if (page.provenance.empty() && page.points.empty()) return "";
  std::string html = "<details class=\"provenance\" open><summary>Provenance</summary>\n<dl>\n";
  for (const auto& [key, value] : page.provenance) {
    html +=
        fmt::format("<dt>{}</dt><dd><code>{}</code></dd>\n", escape_xml(key), escape_xml(value));
  }
  if (!page.points.empty()) {
    html += "<dt>points</dt><dd class=\"points\">";
    for (const std::string& point : page.points) html += "<code>" + escape_xml(point) + "</code> ";
    html += "</dd>\n";
  }
  return html + "</dl>\n</details>\n";
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
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html += "<meta name=\"generator\" content=\"kvscope\">\n";
  html += "<title>" + escape_xml(page.title) + "</title>\n<style>" + kPageStyle + "</style>\n";
  html += "</head>\n<body>\n<main>\n<h1>" + escape_xml(page.title) + "</h1>\n";
  if (!page.subtitle.empty()) {
    html += "<p class=\"subtitle\">" + escape_xml(page.subtitle) + "</p>\n";
  }
  if (page.sections.size() > 1) {
    html += "<nav>";
    for (size_t i = 0; i < page.sections.size(); ++i) {
      html += fmt::format("<a href=\"#s{}\">{}</a> ", i, escape_xml(page.sections[i].title));
    }
    html += "</nav>\n";
  }
  html += provenance_html(page);
  size_t block_index = 0;
  for (size_t i = 0; i < page.sections.size(); ++i) {
    html +=
        fmt::format("<section id=\"s{}\">\n<h2>{}</h2>\n", i, escape_xml(page.sections[i].title));
    for (const ReportBlock& block : page.sections[i].blocks) {
      html += std::visit(BlockWriter{block_index++}, block);
    }
    html += "</section>\n";
  }
  return html + "</main>\n<script>" + kPageScript + "</script>\n</body>\n</html>\n";
}

void write_page(const std::filesystem::path& path, const ReportPage& page) {
  write_file_atomically(path, page_html(page));
}

}  // namespace kvscope
