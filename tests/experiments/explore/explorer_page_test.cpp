#include "experiments/explore/explorer_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/experiments/explore/explored_records.h"

namespace kvscope {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int64_t kRoom = int64_t{1} << 30;

std::string page_of(const std::vector<ExploredRecord>& records) {
  return explorer_page(records, kRoom).html;
}

/// What the page's script parses.
nlohmann::json data_of(const std::string& html) {
  const std::string begin = "<script type=\"application/json\" id=\"records\">";
  const size_t from = html.find(begin) + begin.size();
  return nlohmann::json::parse(html.substr(from, html.find("</script>", from) - from));
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(ExplorerPage, TextOfRecordsIsDataAndNothingElse) {
  const std::string hostile = "</script><script>alert(1)</script><!--<script>{{script}}\"'`&\xff";
  AttentionRecord record = explored_record();
  const std::string harmless = page_of({{.file = "a.h5", .record = record}});
  record.model = hostile;
  record.prompts[0] = hostile;
  record.point_hash = hostile;
  record.arrays.at("mass.step").help = hostile;
  record.arrays.at("mass.step").unit = hostile;
  record.arrays[hostile] = record.arrays.at("mass.history_top");
  const std::string html = page_of({{.file = hostile, .record = record}});
  EXPECT_THAT(html, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(html, Not(HasSubstr("<!--<script")));
  // As many elements as without it, but for the block of one more array.
  EXPECT_EQ(count(html, "<script"), count(harmless, "<script") + 1);
  EXPECT_EQ(count(html, "</script"), count(harmless, "</script") + 1);
  const nlohmann::json data = data_of(html);
  EXPECT_THAT(data.at("records")[0].at("prompts")[0].get<std::string>(),
              HasSubstr("</script><script>alert(1)</script><!--<script>{{script}}\"'`&"));
}

TEST(ExplorerPage, NeedsNothingElse) {
  const std::string html = page_of({{.file = "a.h5", .record = explored_record()}});
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* outside : {"<link", "src=\"http", "href=\"", "@import", "url(", "fetch("}) {
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  }
  EXPECT_THAT(html, Not(HasSubstr("{{")));
}

TEST(ExplorerPage, TheSameRecordsGiveTheSamePage) {
  const AttentionRecord record = explored_record();
  EXPECT_EQ(page_of({{.file = "a.h5", .record = record}}),
            page_of({{.file = "a.h5", .record = explored_record()}}));
}

TEST(ExplorerPage, TwoRecordsAreBothInIt) {
  const AttentionRecord scales = explored_record();
  const AttentionRecord raster = explored_record(next_token_run());
  const std::string html =
      page_of({{.file = "a.h5", .record = scales}, {.file = "b.h5", .record = raster}});
  const nlohmann::json data = data_of(html);
  ASSERT_EQ(data.at("records").size(), 2);
  EXPECT_EQ(data.at("records")[1].at("file"), "b.h5");
  EXPECT_EQ(data.at("records")[1].at("lineTokens"), 12);
  EXPECT_THAT(html, HasSubstr("<title>Attention of toy: a.h5 and b.h5</title>"));
  for (const auto& record : data.at("records")) {
    for (const auto& array : record.at("arrays")) {
      EXPECT_EQ(count(html, "id=\"" + array.at("block").get<std::string>() + "\""), 1);
    }
  }
}

}  // namespace
}  // namespace kvscope
