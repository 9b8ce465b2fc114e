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
  bool is_fallback = false;  ///< hidden once a script has drawn the section itself
};

/// One image of an ImageGrid: PNG bytes, empty where there is none, and the size that it is shown
/// at, in pixels of the page.
struct GridImage {
  std::string png{};
  int64_t width_px = 0;
  int64_t height_px = 0;
};

/// A row of an ImageGrid, all of one point.
struct GridRow {
  std::string label{};
  std::vector<std::string> details{};  ///< small, below the label
  std::string point{};                 ///< its hash
  std::string reference{};  ///< hash of the row whose images these are compared with; may be empty
  std::vector<GridImage> images{};  ///< one a prompt
};

/// The same prompts across, one row a point. A script adds what compares two of them.
struct ImageGrid {
  std::string title{};
  std::string caption{};
  std::vector<std::string> prompts{};
  std::vector<GridRow> rows{};
  bool pixelated = false;  ///< magnified without smoothing
};

using ReportBlock = std::variant<Paragraph, Table, SvgFigure, ImageGrid>;

struct ReportSection {
  std::string title{};
  std::string id{};  ///< what links and scripts find it by; empty: its number
  std::vector<ReportBlock> blocks{};
};

/// A report in one HTML file: no network, no other files. With scripts off everything is there to
/// be read; scripts (experiments/report/page) sort and filter tables, draw the section "trade-off"
/// from `data`, compare images and say where a number comes from.
struct ReportPage {
  std::string title{};
  std::string subtitle{};
  std::vector<std::pair<std::string, std::string>>
      provenance;                     // e.g. {"command", "kvscope run -m ..."}
  std::vector<std::string> points{};  // hashes of the points it shows
  std::vector<ReportSection> sections{};
  std::string data{};  ///< JSON for the scripts (results/page/points_payload.h); may be empty
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
