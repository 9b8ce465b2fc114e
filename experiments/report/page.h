#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "experiments/report/tables/table.h"

namespace kvscope {

/// Plain text; a blank line starts a new paragraph.
struct Paragraph {
  std::string text{};
};

/// A drawing from Canvas::svg, embedded so that it stays sharp.
struct SvgFigure {
  std::string svg{};
  std::string caption{};
};

/// PNG bytes (Canvas::png, image_png), embedded. `width_px` 0: the image's own.
struct PngFigure {
  std::string png{};
  std::string caption{};
  std::string alternative{};  // for readers who cannot see it; empty: the caption
  int width_px = 0;
  bool pixelated = false;  // magnified without smoothing
};

using ReportBlock = std::variant<Paragraph, Table, SvgFigure, PngFigure>;

struct ReportSection {
  std::string title{};
  std::vector<ReportBlock> blocks{};
};

/// A report in one HTML file: no network, no other files, readable with scripts off (they only sort
/// tables).
struct ReportPage {
  std::string title{};
  std::string subtitle{};
  std::vector<std::pair<std::string, std::string>>
      provenance;                     // e.g. {"command", "kvscope run -m ..."}
  std::vector<std::string> points{};  // hashes of the points it shows
  std::vector<ReportSection> sections{};
};

/// Complete HTML 5. Every string is escaped except `SvgFigure::svg`, which must be one that this
/// program drew. Errors: kConfig for a malformed table or an SVG without a root element.
std::string page_html(const ReportPage& page);

/// Whole or not at all; missing folders are created. Errors: kEnvironment, those of page_html.
void write_page(const std::filesystem::path& path, const ReportPage& page);

/// `svg` ready to stand inside HTML: no XML declaration, and every id begins with `prefix`, because
/// the ids of several drawings in one page would otherwise collide and exchange their letters.
std::string inline_svg(const std::string& svg, const std::string& prefix);

}  // namespace kvscope
