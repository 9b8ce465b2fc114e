#include "experiments/report/tables/table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include "core/base/error.h"
#include "experiments/report/text.h"

namespace kvscope {
namespace {

using testing::HasSubstr;
using testing::Not;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Table small_table() {
  Table table;
  table.title = "Sweep";
  table.columns = {{.header = "policy", .align = Align::kLeft},
                   {.header = "KV", .unit = "MiB", .better = Better::kLower, .decimals = 1},
                   {.header = "PSNR", .unit = "dB", .better = Better::kHigher, .decimals = 2}};
  table.rows = {
      {{TableCell::text("full"), TableCell::number(13.28), TableCell::number(kInfinity)}, true},
      {{TableCell::text("snapkv"), TableCell::number(1.25), TableCell::number(9.871, 0.5)}},
      {{TableCell::text("scale_kv"), TableCell::number(0.66), TableCell::number(24.0, 0.25)}},
      {{TableCell::text("x"), TableCell::number(0.664), TableCell::missing("run failed")}},
  };
  table.provenance = {"3f9c1a77b2d0"};
  return table;
}

TEST(Table, ConsoleAlignsPointsAndFootnotesMissing) {
  EXPECT_EQ(console_table(small_table()),
            "Sweep\n"
            "\n"
            "policy      KV          PSNR\n"
            "           MiB            dB\n"
            "────────  ────  ────────────\n"
            "full      13.3   ∞\n"
            "────────  ────  ────────────\n"
            "snapkv     1.2   9.87 ± 0.50\n"
            "scale_kv   0.7  24.00 ± 0.25\n"
            "x          0.7  —¹\n"
            "\n"
            "¹ run failed\n"
            "± 95 % confidence half width\n");
}

TEST(Table, ConsoleMarksBestOnlyWithAnsi) {
  EXPECT_THAT(console_table(small_table()), Not(HasSubstr("\x1b")));
  const std::string text = console_table(small_table(), {.ansi = true});
  EXPECT_THAT(text, HasSubstr("\x1b[1m24.00\x1b[0m ± 0.25"));
  EXPECT_THAT(text, HasSubstr("\x1b[4m9.87\x1b[0m ± 0.50"));
}

TEST(Table, ANarrowConsoleLeavesOutTheLeastImportantAndSaysSo) {
  Table table = small_table();
  table.columns.insert(table.columns.begin() + 1,
                       {.header = "budget", .importance = Importance::kRow});
  table.columns.push_back({.header = "allocated", .importance = Importance::kDetail});
  table.columns.push_back({.header = "images", .importance = Importance::kBookkeeping});
  for (TableRow& row : table.rows) {
    row.cells.insert(row.cells.begin() + 1, TableCell::text("10 %"));
    row.cells.push_back(TableCell::missing("not measured"));
    row.cells.push_back(TableCell::number(8));
  }
  const std::string all = console_table(table);
  EXPECT_EQ(console_table(table, {.columns = 200}), all);
  EXPECT_THAT(all, Not(HasSubstr("not shown")));
  struct Case {
    int64_t columns;
    const char* left_out;
    bool fits;
  };
  for (const Case& c :
       {Case{50, "images", true}, Case{40, "allocated, images", true},
        Case{30, "PSNR, allocated, images", true}, Case{3, "PSNR, allocated, images", false}}) {
    const std::string text = console_table(table, {.columns = c.columns});
    EXPECT_THAT(text,
                HasSubstr(fmt::format("not shown in {} columns: {}\n", c.columns, c.left_out)));
    EXPECT_THAT(text, HasSubstr("budget"));
    EXPECT_EQ(text.find("not measured") != text.npos, c.columns == 50) << text;
    const std::string body = text.substr(0, text.find("\n\n", text.find("policy")));
    std::istringstream lines(body);
    for (std::string line; c.fits && std::getline(lines, line);) {
      EXPECT_LE(display_width(line), c.columns) << line;
    }
  }
}

TEST(Table, ConsoleCountsWidthsOfWideText) {
  Table table;
  table.columns = {{.header = "a", .align = Align::kLeft}, {.header = "b", .decimals = 0}};
  table.rows = {{{TableCell::text("日本"), TableCell::number(1)}},
                {{TableCell::text("x\x1b[2J"), TableCell::number(23)}}};
  EXPECT_EQ(console_table(table),
            "a       b\n"
            "─────  ──\n"
            "日本    1\n"
            "x\uFFFD[2J  23\n");
}

TEST(Table, CsvIsRfc4180WithExactNumbers) {
  Table table = small_table();
  table.rows[1].cells[0] = TableCell::text("a \"b\", c\nd");
  table.rows[1].cells[1] = TableCell::number(0.1 + 0.2);
  EXPECT_EQ(csv_table(table),
            "policy,KV (MiB),PSNR (dB),PSNR 95 % confidence half width (dB),missing\r\n"
            "full,13.28,inf,,\r\n"
            "\"a \"\"b\"\", c\nd\",0.30000000000000004,9.871,0.5,\r\n"
            "scale_kv,0.66,24,0.25,\r\n"
            "x,0.664,,,PSNR: run failed\r\n");
}

TEST(Table, Markdown) {
  Table table = small_table();
  table.rows[1].cells[0] = TableCell::text("a|b*<i>");
  EXPECT_EQ(markdown_table(table),
            "**Sweep**\n"
            "\n"
            "| policy          |   KV (MiB) |          PSNR (dB) |\n"
            "| --------------- | ---------: | -----------------: |\n"
            "| full            |       13.3 |                  ∞ |\n"
            "| a\\|b\\*&lt;i&gt; | <u>1.2</u> | <u>9.87</u> ± 0.50 |\n"
            "| scale\\_kv       |    **0.7** |   **24.00** ± 0.25 |\n"
            "| x               |    **0.7** |      —<sup>1</sup> |\n"
            "\n"
            "<sup>1</sup> run failed  \n"
            "± 95 % confidence half width\n"
            "\n"
            "<!-- points: 3f9c1a77b2d0 -->\n");
}

TEST(Table, LatexIsBooktabs) {
  EXPECT_EQ(
      latex_table(small_table()),
      "% needs \\usepackage{booktabs}\n"
      "% point 3f9c1a77b2d0\n"
      "\\begin{table}[t]\n"
      "  \\centering\n"
      "  \\caption{Sweep}\n"
      "  \\begin{tabular}{lrr}\n"
      "    \\toprule\n"
      "    policy & KV (MiB) $\\downarrow$ & PSNR (dB) $\\uparrow$ \\\\\n"
      "    \\midrule\n"
      "    full & 13.3 & $\\infty$ \\\\\n"
      "    \\midrule\n"
      "    snapkv & \\underline{1.2} & \\underline{9.87} $\\pm$ 0.50 \\\\\n"
      "    scale\\_kv & \\textbf{0.7} & \\textbf{24.00} $\\pm$ 0.25 \\\\\n"
      "    x & \\textbf{0.7} & ---\\textsuperscript{1} \\\\\n"
      "    \\bottomrule\n"
      "  \\end{tabular}\n"
      "\n"
      "  \\smallskip\n"
      "  {\\footnotesize \\textsuperscript{1} run failed; $\\pm$ 95 \\% confidence half width}\n"
      "\\end{table}\n");
}

TEST(Table, LatexEscapesHostileText) {
  EXPECT_EQ(escape_latex("\\input{x} $%&#_~^ <>|"),
            "\\textbackslash{}input\\{x\\} \\$\\%\\&\\#\\_\\textasciitilde{}\\textasciicircum{} "
            "\\textless{}\\textgreater{}\\textbar{}");
  Table table = small_table();
  table.provenance = {"3f\n\\input{/etc/passwd}"};  // a comment must stay one line
  table.rows[1].cells[0] =
      TableCell::text("[1em]");  // must not become the option of the row before
  const std::string tex = latex_table(table);
  EXPECT_THAT(tex, HasSubstr("% point 3f \\input{/etc/passwd}\n"));
  EXPECT_THAT(tex, HasSubstr("    {}[1em] & "));
}

TEST(Table, HtmlEscapesAndCarriesRawValues) {
  Table table = small_table();
  table.rows[1].cells[0] = TableCell::text("<script>alert('x')</script>");
  table.rows[3].cells[2] = TableCell::missing("\"quoted\" & <b>");
  const std::string html = html_table(table);
  EXPECT_THAT(html, Not(HasSubstr("<script>")));
  EXPECT_THAT(html, HasSubstr("title=\"&quot;quoted&quot; &amp; &lt;b&gt;\""));
  EXPECT_THAT(html, HasSubstr("<td class=\"right best\" data-value=\"24\"><span>24.00</span> "
                              "<small>± 0.25</small></td>"));
  EXPECT_THAT(html, HasSubstr("<tr class=\"reference\">"));
  EXPECT_THAT(html, HasSubstr("<code>3f9c1a77b2d0</code>"));
}

TEST(Table, RanksWhatTheReaderSees) {
  Table table;
  table.columns = {{.header = "m", .better = Better::kHigher, .decimals = 1}};
  for (const double value : {1.04, 3.0, 2.96, 2.0})
    table.rows.push_back({{TableCell::number(value)}});
  const auto rank = ranks(table);
  EXPECT_EQ(rank[0][0], TableRank::kNone);
  EXPECT_EQ(rank[1][0], TableRank::kBest);
  EXPECT_EQ(rank[2][0], TableRank::kBest);  // prints 3.0 too
  EXPECT_EQ(rank[3][0], TableRank::kSecond);
}

TEST(Table, NothingIsBestWhenAllAreEqualOrAlone) {
  Table table;
  table.columns = {{.header = "m", .better = Better::kLower, .decimals = 1}};
  table.rows = {{{TableCell::number(1.01)}}, {{TableCell::number(1.02)}}};
  EXPECT_EQ(ranks(table)[0][0], TableRank::kNone);
  table.rows.resize(1);
  EXPECT_EQ(ranks(table)[0][0], TableRank::kNone);
}

TEST(Table, NaNIsMissingNotANumber) {
  EXPECT_EQ(TableCell::number(std::nan("")), TableCell::missing("not a number"));
  const TableCell cell = TableCell::number(1, std::nan(""));
  EXPECT_FALSE(std::get<TableNumber>(cell.content).has_interval());
}

TEST(Table, ShowsNoNegativeZero) {
  EXPECT_EQ(shown_value({-0.001}, {.header = "x", .decimals = 2}), "0.00");
  EXPECT_EQ(shown_value({-1e300}, {.header = "x", .decimals = 0}).size(), 302u);
  EXPECT_EQ(shown_value({-kInfinity}, {.header = "x"}), "-∞");
}

TEST(Table, RefusesRowsOfTheWrongLength) {
  Table table = small_table();
  table.rows[2].cells.pop_back();
  for (const auto& format : {markdown_table, csv_table, latex_table, html_table}) {
    try {
      format(table);
      FAIL() << "expected an error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      EXPECT_STREQ(error.what(),
                   "table 'Sweep': row 2 has 2 cells, expected one for each of 3 columns");
    }
  }
}

TEST(Table, EmptyTablesPrint) {
  const Table table{.columns = {{.header = "a"}}};
  EXPECT_EQ(csv_table(table), "a\r\n");
  EXPECT_EQ(console_table(table), "a\n─\n");
  EXPECT_THAT(markdown_table(table), HasSubstr("|   a |\n| --: |\n"));
}

TEST(Table, AnIntervalIsHalfAWidthOnlyWhereItIsSymmetric) {
  Table table;
  table.columns = {{.header = "policy", .align = Align::kLeft}, {.header = "share"}};
  table.rows = {{.cells = {TableCell::text("a"), TableCell::between(0.5, 0.25, 0.75)}},
                {.cells = {TableCell::text("b"), TableCell::between(0.12, 0.04, 0.31)}},
                {.cells = {TableCell::text("c"), TableCell::between(0.12, NAN, NAN)}}};
  EXPECT_EQ(console_table(table),
            "policy              share\n"
            "──────  ─────────────────\n"
            "a       0.50       ± 0.25\n"
            "b       0.12 [0.04, 0.31]\n"
            "c       0.12\n"
            "\n"
            "± 95 % confidence half width\n"
            "[ , ] 95 % confidence interval\n");
  EXPECT_EQ(csv_table(table),
            "policy,share,share 95 % confidence interval from,share 95 % confidence interval to\r\n"
            "a,0.5,0.25,0.75\r\nb,0.12,0.04,0.31\r\nc,0.12,,\r\n");
  for (const std::string& text : {markdown_table(table), html_table(table), latex_table(table)}) {
    EXPECT_THAT(text, AllOf(HasSubstr("[0.04, 0.31]"), HasSubstr("[ , ]")));
  }
}

TEST(Table, ANumberOverPartOfTheImagesHasAFootnoteInEveryFormat) {
  Table table;
  table.columns = {{.header = "policy", .align = Align::kLeft}, {.header = "share"}};
  TableCell part = TableCell::between(0.5, 0.25, 0.75);
  std::get<TableNumber>(part.content).part = PartOfImages{.images = 2, .all = 4};
  table.rows = {{.cells = {TableCell::text("a"), part}},
                {.cells = {TableCell::text("b"), TableCell::number(12.5)}}};
  EXPECT_EQ(console_table(table),
            "policy           share\n"
            "──────  ──────────────\n"
            "a        0.50 ± 0.25 ¹\n"
            "b       12.50\n"
            "\n"
            "¹ over 2 of 4 images\n"
            "± 95 % confidence half width\n");
  EXPECT_THAT(markdown_table(table), AllOf(HasSubstr("0.50 ± 0.25 <sup>1</sup> |"),
                                           HasSubstr("<sup>1</sup> over 2 of 4 images")));
  EXPECT_THAT(latex_table(table), AllOf(HasSubstr("0.50 $\\pm$ 0.25 \\textsuperscript{1}"),
                                        HasSubstr("\\textsuperscript{1} over 2 of 4 images")));
  EXPECT_THAT(html_table(table), AllOf(HasSubstr("title=\"over 2 of 4 images\""),
                                       HasSubstr("<sup>1</sup> over 2 of 4 images")));
  EXPECT_THAT(csv_table(table), AllOf(HasSubstr("not over all images\r\n"),
                                      HasSubstr(",share: over 2 of 4 images\r\n")));
}

}  // namespace
}  // namespace kvscope
