#include "experiments/report/drawing/canvas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "tests/experiments/report/drawing/figure_check.h"

namespace kvscope {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

fs::path fresh_folder(const std::string& name) {
  const fs::path folder = fs::path(testing::TempDir()) / ("kvscope_report_" + name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

ErrorKind kind_of(const std::function<void()>& action, std::string* message = nullptr) {
  try {
    action();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.what();
    return error.kind();
  }
  ADD_FAILURE() << "expected an error";
  return ErrorKind::kAudit;
}

Image two_by_one(uint8_t left, uint8_t right) {
  Image image(1, 2);
  for (int c = 0; c < 3; ++c) image.pixel(0, 0)[c] = left;
  for (int c = 0; c < 3; ++c) image.pixel(0, 1)[c] = right;
  return image;
}

const FigureInfo kInfo{"A <title> & more", "de\"scription", {"3f9c1a77b2d0", "a1b2c3d4e5f6"}};

TEST(Canvas, SvgIsWellFormedAndNamesItsOrigin) {
  Canvas canvas(120, 80);
  canvas.text("<hostile> & \x1b text", {10, 20}, {});
  canvas.marker(Marker::kDiamond, {50, 50}, 9, series_colour(0), ink::kPaper);
  const std::string svg = canvas.svg(kInfo);
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_THAT(svg, HasSubstr("<title>A &lt;title&gt; &amp; more</title>"));
  EXPECT_THAT(svg, HasSubstr("<desc>de&quot;scription</desc>"));
  EXPECT_THAT(svg, HasSubstr("<point>3f9c1a77b2d0</point><point>a1b2c3d4e5f6</point>"));
  EXPECT_THAT(svg, HasSubstr("viewBox=\"0 0 120 80\""));
}

TEST(Canvas, PngHasTheScaledSizeAndTextEntries) {
  Canvas canvas(41, 30);
  canvas.fill_rectangle({0, 0}, 10, 30, colour_of(0xFF0000));
  const std::string png = canvas.png(kInfo, 1.5);
  const DecodedFigure decoded = decode_figure(png);
  EXPECT_EQ(decoded.width, 62);  // 61.5 rounded
  EXPECT_EQ(decoded.height, 45);
  EXPECT_EQ(decoded.at(5, 20), 0xFF0000u);
  EXPECT_EQ(decoded.at(40, 20), 0xFFFFFFu);
  EXPECT_GT(decoded.at(61, 20) & 0xFFu, 0xF0u);  // the last, partly covered column is not dark
  EXPECT_EQ(decoded.text.at("Source"), "3f9c1a77b2d0 a1b2c3d4e5f6");
  EXPECT_EQ(decoded.text.at("Title"), "A <title> & more");
  EXPECT_EQ(decoded.text.at("Description"), "de\"scription");
}

TEST(Canvas, PngTextMayBeAnyBytes) {
  const std::string title("größer\0\xFF", 10);
  const DecodedFigure decoded = decode_figure(Canvas(2, 2).png({title, "", {}}));
  EXPECT_EQ(decoded.text.at("Title"), "größer\uFFFD\uFFFD");
}

TEST(Canvas, ImagesAreMagnifiedWithoutSmoothing) {
  Canvas canvas(10, 6);
  canvas.image(two_by_one(0, 200), {1, 1}, 4);
  const DecodedFigure png = decode_figure(canvas.png({}, 2));
  EXPECT_EQ(png.at(2, 2), 0x000000u);
  EXPECT_EQ(png.at(9, 9), 0x000000u);
  EXPECT_EQ(png.at(10, 2), 0xC8C8C8u);
  EXPECT_EQ(png.at(17, 9), 0xC8C8C8u);
  EXPECT_EQ(png.at(18, 2), 0xFFFFFFu);
  EXPECT_EQ(png.at(1, 1), 0xFFFFFFu);
}

TEST(Canvas, ImagePngKeepsEveryPixel) {
  const DecodedFigure png = decode_figure(image_png(two_by_one(7, 99), {}));
  ASSERT_EQ(png.width, 2);
  ASSERT_EQ(png.height, 1);
  EXPECT_EQ(png.at(0, 0), 0x070707u);
  EXPECT_EQ(png.at(1, 0), 0x636363u);
  EXPECT_EQ(kind_of([] { image_png({}, {}); }), ErrorKind::kInput);
}

TEST(Canvas, WrapsAtSpacesAndBreaksLongWords) {
  const Canvas canvas(1, 1);
  const TextStyle style;
  const double width = canvas.text_width("two words", style);
  EXPECT_THAT(canvas.wrapped("two words and", style, width, 9),
              testing::ElementsAre("two words", "and"));
  const auto broken = canvas.wrapped(std::string(200, 'm'), style, width, 99);
  std::string whole;
  for (const std::string& line : broken) {
    EXPECT_LE(canvas.text_width(line, style), width);
    whole += line;
  }
  EXPECT_EQ(whole, std::string(200, 'm'));
  const auto cut = canvas.wrapped("one two three four five six seven", style, width, 2);
  ASSERT_EQ(cut.size(), 2u);
  EXPECT_TRUE(cut[1].ends_with("…"));
  EXPECT_LE(canvas.text_width(cut[1], style), width);
  EXPECT_THAT(canvas.wrapped("", style, width, 3), testing::ElementsAre(""));
}

TEST(Canvas, RefusesImpossibleSizes) {
  EXPECT_EQ(kind_of([] { Canvas(0, 10); }), ErrorKind::kConfig);
  EXPECT_EQ(kind_of([] { Canvas(10, 40000); }), ErrorKind::kConfig);
  EXPECT_EQ(kind_of([] { (void)Canvas(20000, 10).png({}, 2); }), ErrorKind::kConfig);
}

TEST(Canvas, TextStaysTextInSvgAndPdf) {
  Canvas canvas(200, 80);
  canvas.text("memory <MiB> ± 2", {100, 20}, {.bold = true, .anchor = TextAnchor::kMiddle});
  canvas.text("up", {10, 70}, {.rotation_degrees = 90});
  canvas.text("", {0, 0}, {});
  const std::string svg = canvas.svg({});
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_THAT(svg, HasSubstr(">memory &lt;MiB&gt; ± 2</text>"));
  EXPECT_THAT(svg, HasSubstr("transform=\"rotate(-90 10.00 70.00)\""));
  EXPECT_THAT(svg, HasSubstr("font-weight=\"bold\""));
  EXPECT_THAT(svg, Not(HasSubstr("<symbol")));  // glyphs as shapes
  const std::string pdf = canvas.pdf(kInfo, 2);
  EXPECT_TRUE(pdf.starts_with("%PDF-"));
  EXPECT_THAT(pdf, HasSubstr("/Type /Font"));
  EXPECT_THAT(pdf, HasSubstr("[ 0 0 300 120 ]"));  // points, three quarters of a pixel
}

TEST(Canvas, TheExtensionSaysTheFormat) {
  const fs::path folder = fresh_folder("formats");
  const Canvas canvas(20, 10);
  const std::pair<const char*, const char*> formats[] = {
      {"a.svg", "<?xml"}, {"b.png", "\x89PNG"}, {"c.pdf", "%PDF-"}};
  for (const auto& [name, begins] : formats) {
    check_figure_path(folder / name);
    canvas.write(folder / name, {}, 1.5);
    EXPECT_TRUE(content(folder / name).starts_with(begins)) << name;
  }
  EXPECT_THAT(content(folder / "a.svg"), HasSubstr("width=\"30px\""));
  for (const char* name : {"a.jpg", "a", "a.svg.txt", ".png"}) {
    std::string message;
    EXPECT_EQ(kind_of([&] { canvas.write(folder / name, {}); }, &message), ErrorKind::kConfig);
    EXPECT_THAT(message, HasSubstr(".svg, .png, .pdf"));
    EXPECT_EQ(kind_of([&] { check_figure_path(name); }), ErrorKind::kConfig);
    EXPECT_FALSE(fs::exists(folder / name));
  }
}

TEST(Canvas, WritesBothFilesAndLeavesNoPart) {
  const fs::path folder = fresh_folder("both");
  const Canvas canvas(20, 10);
  canvas.write(folder / "a.svg", kInfo);
  canvas.write(folder / "a.png", kInfo);
  EXPECT_EQ(content(folder / "a.svg"), canvas.svg(kInfo));
  EXPECT_EQ(decode_figure(content(folder / "a.png")).width, 20);
  EXPECT_FALSE(fs::exists(own_part(folder / "a.svg")));
}

TEST(Canvas, AFileInPlaceOfTheFolderIsAnEnvironmentError) {
  const fs::path folder = fresh_folder("nofolder");
  std::ofstream(folder / "file") << "x";
  std::string message;
  EXPECT_EQ(kind_of([&] { Canvas(9, 9).write(folder / "file" / "a.svg", {}); }, &message),
            ErrorKind::kEnvironment);
  EXPECT_THAT(message, HasSubstr((folder / "file").string()));
}

TEST(Canvas, AFullDiskKeepsTheOldFile) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
  const fs::path folder = fresh_folder("full");
  std::ofstream(folder / "a.png") << "old";
  fs::create_symlink("/dev/full", own_part(folder / "a.png"));
  EXPECT_EQ(kind_of([&] { Canvas(9, 9).write(folder / "a.png", {}); }), ErrorKind::kEnvironment);
  EXPECT_EQ(content(folder / "a.png"), "old");
  EXPECT_FALSE(fs::is_symlink(own_part(folder / "a.png")));
}

}  // namespace
}  // namespace kvscope
