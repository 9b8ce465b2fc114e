#include "experiments/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "core/base/error.h"
#include "experiments/report/drawing/canvas.h"

namespace kvscope {
namespace {

using testing::HasSubstr;
using testing::Not;

ReportPage small_page() {
  Canvas canvas(30, 20);
  canvas.text("ab", {2, 12}, {});
  const std::string svg = canvas.svg({"Chart", "", {"3f9c1a77b2d0"}});
  const Table table{.title = "T", .columns = {{.header = "a"}}, .rows = {{{TableCell::number(1)}}}};
  ReportPage page;
  page.title = "Report <1>";
  page.provenance = {{"command", "kvscope run 'x=<y>' && rm"}};
  page.points = {"3f9c1a77b2d0"};
  page.sections = {{"One", "", {Paragraph{"first\n\nsecond <script>alert(1)</script>"}, table}},
                   {"Two", "drawings", {SvgFigure{svg, "left"}, SvgFigure{svg, "right"}}},
                   {"Three",
                    "",
                    {ImageGrid{.prompts = {"</th><script>alert(2)</script>"},
                               .rows = {{.label = "\"quoted\"", .images = {{"png", 8, 4}}}},
                               .pixelated = true}}}};
  page.data = R"({"name": "</script><script>alert(3)</script><!--"})";
  return page;
}

TEST(Page, EscapesEverythingFromOutside) {
  const std::string html = page_html(small_page());
  EXPECT_THAT(html, HasSubstr("<title>Report &lt;1&gt;</title>"));
  EXPECT_THAT(html, HasSubstr("<code>kvscope run &#39;x=&lt;y&gt;&#39; &amp;&amp; rm</code>"));
  EXPECT_THAT(html, HasSubstr("<p>first</p>\n<p>second &lt;script&gt;alert(1)&lt;/script&gt;</p>"));
  EXPECT_THAT(html, HasSubstr("<b>&quot;quoted&quot;</b>"));
  EXPECT_THAT(html, HasSubstr("<span>&lt;/th&gt;&lt;script&gt;"));
  EXPECT_THAT(html, HasSubstr(R"({"name": "\u003c/script>\u003cscript>alert(3))"));
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
}

TEST(Page, NeedsNothingElse) {
  const std::string html = page_html(small_page());
  EXPECT_THAT(html, HasSubstr("src=\"data:image/png;base64,cG5n\""));
  EXPECT_THAT(html, Not(HasSubstr("<link")));
  EXPECT_FALSE(std::regex_search(html, std::regex("(src|href)=\"(https?:)?//")));
  EXPECT_THAT(html, Not(HasSubstr("<?xml")));
}

TEST(Page, DrawingsDoNotShareIds) {
  const std::string html = page_html(small_page());
  std::vector<std::string> ids;
  const std::regex pattern(" id=\"([^\"]+)\"");
  for (std::sregex_iterator i(html.begin(), html.end(), pattern); i != std::sregex_iterator();
       ++i) {
    ids.push_back((*i)[1]);
  }
  EXPECT_GT(ids.size(), 4u);
  std::vector<std::string> sorted = ids;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const std::regex use("href=\"#([^\"]+)\"");
  for (std::sregex_iterator i(html.begin(), html.end(), use); i != std::sregex_iterator(); ++i) {
    EXPECT_THAT(ids, testing::Contains((*i)[1].str()));
  }
}

TEST(Page, InlineSvgRenamesIdsAndTheirUses) {
  EXPECT_EQ(
      inline_svg(
          "<?xml?>\n<svg><g id=\"a\"/><use xlink:href=\"#a\"/><p clip-path=\"url(#a)\"/></svg>",
          "f1-"),
      "<svg><g id=\"f1-a\"/><use xlink:href=\"#f1-a\"/><p clip-path=\"url(#f1-a)\"/></svg>");
  EXPECT_THROW(inline_svg("no drawing", "f"), Error);
}

TEST(Page, UnwritableFolderIsAnEnvironmentError) {
  try {
    write_page("/dev/null/report.html", small_page());
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
  }
}

}  // namespace
}  // namespace kvscope
