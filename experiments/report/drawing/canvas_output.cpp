// How a recorded drawing becomes a file; canvas.cpp is about drawing.
#include <cairo-svg.h>
#include <fmt/format.h>

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

}  // namespace

std::string Canvas::svg(const FigureInfo& info) const {
  check_cairo(cairo_status(recording_->context.get()), "draw");
  std::vector<std::byte> written;
  {
    CairoSurface surface(cairo_svg_surface_create_for_stream(
        append_bytes, &written, recording_->width, recording_->height));
    check_cairo(cairo_surface_status(surface.get()), "start an SVG");
    cairo_svg_surface_set_document_unit(surface.get(), CAIRO_SVG_UNIT_PX);
    const CairoContext context(cairo_create(surface.get()));
    cairo_set_source_surface(context.get(), recording_->surface.get(), 0, 0);
    cairo_paint(context.get());
    check_cairo(cairo_status(context.get()), "draw an SVG");
    cairo_surface_finish(surface.get());
    check_cairo(cairo_surface_status(surface.get()), "write an SVG");
  }
  std::string bytes = with_stable_ids(as_string(written));
  const size_t root = bytes.find("<svg");
  const size_t root_end = bytes.find(">\n", root);
  if (root == std::string::npos || root_end == std::string::npos) {
    throw Error(ErrorKind::kEnvironment,
                "cannot read the SVG that this Cairo writes: no root element");
  }
  return bytes.insert(root_end + 2, svg_information(info));
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
  cairo_set_source_rgb(context.get(), 1, 1,
                       1);  // a fractional scale leaves part of the last pixels free
  cairo_paint(context.get());
  cairo_scale(context.get(), scale, scale);
  cairo_set_source_surface(context.get(), recording_->surface.get(), 0, 0);
  cairo_paint(context.get());
  check_cairo(cairo_status(context.get()), "draw a PNG");
  std::vector<std::byte> bytes = png_of(surface.get());
  insert_png_text(bytes, png_entries(info));
  return as_string(bytes);
}

void Canvas::write_svg(const std::filesystem::path& path, const FigureInfo& info) const {
  write_file_atomically(path, svg(info));
}

void Canvas::write_png(const std::filesystem::path& path,
                       const FigureInfo& info,
                       double scale) const {
  write_file_atomically(path, png(info, scale));
}

std::string picture_png(const Picture& picture, const FigureInfo& info) {
  return as_string(encode_png(picture, png_entries(info)));
}

}  // namespace kvscope
