// How a recorded drawing becomes a file; canvas.cpp is about drawing.
#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <map>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/image/png.h"
#include "core/image/png_text.h"
#include "experiments/report/drawing/canvas_recording.h"
#include "experiments/report/drawing/svg_ids.h"
#include "experiments/report/text.h"

namespace kvscope {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

PngText png_entries(const FigureInfo& info) {
  PngText entries{{"Software", "kvscope"}};
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) entries.emplace(key, printable(value));
  };
  add("Title", info.title);
  add("Description", info.description);
  add("Source", joined(info.provenance));
  return entries;
}

std::string as_string(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Goes right after the opening <svg ...> tag, where SVG wants <title> to be.
std::string svg_information(const FigureInfo& info) {
  std::string text;
  if (!info.title.empty()) text += "<title>" + escape_xml(info.title) + "</title>\n";
  if (!info.description.empty()) text += "<desc>" + escape_xml(info.description) + "</desc>\n";
  text += "<metadata><kvscope xmlns=\"urn:kvscope:figure\">";
  for (const std::string& point : info.provenance)
    text += "<point>" + escape_xml(point) + "</point>";
  return text + "</kvscope></metadata>\n";
}

// Cairo numbers surfaces through the life of the process; the same drawing shall be the same file.
std::string with_stable_ids(const std::string& svg) {
  std::map<std::string, size_t> numbers;
  return rename_svg_ids(svg, [&](const std::string& id) {
    return fmt::format("i{}", numbers.try_emplace(id, numbers.size()).first->second);
  });
}

/// The texts as elements of an SVG. Their widths are given, so that another font keeps the layout.
std::string svg_texts(const std::vector<RecordedText>& texts, double scale) {
  std::string svg =
      fmt::format("<g font-family=\"'{}', sans-serif\" xml:space=\"preserve\"", kCanvasFont);
  svg += scale == 1 ? ">\n" : fmt::format(" transform=\"scale({:.6g})\">\n", scale);
  for (const RecordedText& text : texts) {
    if (text.width <= 0) continue;
    const InkColour& colour = text.style.colour;
    const auto level = [](double part) { return std::lround(part * 255); };
    svg += fmt::format(
        "<text x=\"{:.2f}\" y=\"{:.2f}\" font-size=\"{:g}\" fill=\"#{:02x}{:02x}{:02x}\"",
        text.anchor.x + text.begin.x, text.anchor.y + text.begin.y, text.style.size_px,
        level(colour.red), level(colour.green), level(colour.blue));
    if (colour.alpha < 1) svg += fmt::format(" fill-opacity=\"{:.3g}\"", colour.alpha);
    if (text.style.bold) svg += " font-weight=\"bold\"";
    if (text.style.rotation_degrees != 0) {
      svg += fmt::format(" transform=\"rotate({:g} {:.2f} {:.2f})\"", -text.style.rotation_degrees,
                         text.anchor.x, text.anchor.y);
    }
    svg += fmt::format(" textLength=\"{:.2f}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>\n",
                       text.width, escape_xml(text.text));
  }
  return svg + "</g>\n";
}

}  // namespace

std::string Canvas::svg(const FigureInfo& info, double scale) const {
  check_cairo(cairo_status(recording_->context.get()), "draw");
  std::vector<std::byte> written;
  {
    CairoSurface surface(cairo_svg_surface_create_for_stream(
        append_bytes, &written, recording_->width * scale, recording_->height * scale));
    check_cairo(cairo_surface_status(surface.get()), "start an SVG");
    cairo_svg_surface_set_document_unit(surface.get(), CAIRO_SVG_UNIT_PX);
    const CairoContext context(cairo_create(surface.get()));
    recording_->paint(context.get(), scale);
    check_cairo(cairo_status(context.get()), "draw an SVG");
    cairo_surface_finish(surface.get());
    check_cairo(cairo_surface_status(surface.get()), "write an SVG");
  }
  std::string bytes = with_stable_ids(as_string(written));
  const size_t root = bytes.find("<svg");
  const size_t root_end = bytes.find(">\n", root);
  const size_t close = bytes.rfind("</svg>");
  if (root == std::string::npos || root_end == std::string::npos || close == std::string::npos) {
    throw Error(ErrorKind::kEnvironment,
                "cannot read the SVG that this Cairo writes: no root element");
  }
  bytes.insert(close, svg_texts(recording_->texts, scale));
  return bytes.insert(root_end + 2, svg_information(info));
}

std::string Canvas::pdf(const FigureInfo& info, double scale) const {
  check_cairo(cairo_status(recording_->context.get()), "draw");
  constexpr double kPointsPerPixel = 0.75;
  const double points = kPointsPerPixel * scale;
  std::vector<std::byte> written;
  CairoSurface surface(cairo_pdf_surface_create_for_stream(
      append_bytes, &written, recording_->width * points, recording_->height * points));
  check_cairo(cairo_surface_status(surface.get()), "start a PDF");
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_TITLE,
                                 printable(info.title).c_str());
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_SUBJECT,
                                 printable(info.description).c_str());
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_KEYWORDS,
                                 printable(joined(info.provenance)).c_str());
  {
    const CairoContext context(cairo_create(surface.get()));
    recording_->paint(context.get(), points);
    draw_texts(context.get(), recording_->texts);
    check_cairo(cairo_status(context.get()), "draw a PDF");
  }
  cairo_surface_finish(surface.get());
  check_cairo(cairo_surface_status(surface.get()), "write a PDF");
  return as_string(written);
}

std::string Canvas::png(const FigureInfo& info, double scale) const {
  check_cairo(cairo_status(recording_->context.get()), "draw");
  const double width = std::round(recording_->width * scale);
  const double height = std::round(recording_->height * scale);
  check_canvas_size(width, height);
  const CairoSurface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width),
                                                        static_cast<int>(height)));
  check_cairo(cairo_surface_status(surface.get()), "start a PNG");
  const CairoContext context(cairo_create(surface.get()));
  // A fractional scale leaves part of the last pixels free.
  cairo_set_source_rgb(context.get(), 1, 1, 1);
  cairo_paint(context.get());
  recording_->paint(context.get(), scale);
  draw_texts(context.get(), recording_->texts);
  check_cairo(cairo_status(context.get()), "draw a PNG");
  std::vector<std::byte> bytes = png_of(surface.get());
  insert_png_text(bytes, png_entries(info));
  return as_string(bytes);
}

namespace {

struct FileFormat {
  const char* extension;
  std::string (Canvas::*bytes)(const FigureInfo& info, double scale) const;
};

constexpr FileFormat kFileFormats[] = {
    {".svg", &Canvas::svg}, {".png", &Canvas::png}, {".pdf", &Canvas::pdf}};

const FileFormat& format_of(const std::filesystem::path& path) {
  std::vector<std::string> known;
  for (const FileFormat& format : kFileFormats) {
    if (path.extension() == format.extension) return format;
    known.emplace_back(format.extension);
  }
  throw Error(ErrorKind::kConfig, fmt::format("{}: a drawing is written as {}; its name says which",
                                              path.string(), fmt::join(known, ", ")));
}

}  // namespace

void write_figure(const Canvas& canvas,
                  const std::filesystem::path& path,
                  const FigureInfo& info,
                  double scale) {
  constexpr double kPngScale = 2;
  canvas.write(path, info, path.extension() == ".png" ? kPngScale * scale : scale);
}

void check_figure_path(const std::filesystem::path& path) {
  format_of(path);
}

void Canvas::write(const std::filesystem::path& path, const FigureInfo& info, double scale) const {
  write_file_atomically(path, (this->*format_of(path).bytes)(info, scale));
}

std::string image_png(const Image& image, const FigureInfo& info) {
  return as_string(encode_png(image, png_entries(info)));
}

}  // namespace kvscope
