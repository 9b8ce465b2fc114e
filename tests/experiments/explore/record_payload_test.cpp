#include "experiments/explore/record_payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <tuple>

#include "core/base/error.h"
#include "experiments/explore/head_marks.h"
#include "experiments/explore/query_map_payload.h"
#include "tests/experiments/explore/block_numbers.h"
#include "tests/experiments/explore/explored_records.h"

namespace kvscope {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;

json described(const RecordPayload& payload) {
  return json::parse(payload.description);
}

constexpr int64_t kRoom = int64_t{1} << 30;

// Numbers that nothing was averaged of are the file's, bit for bit.
TEST(RecordPayload, ArraysThatFitAreTheFilesNumbers) {
  const AttentionRecord record = explored_record();
  const RecordPayload payload = record_payload(record, "a.h5", "a", kRoom);
  size_t exact = 0;
  const json description = described(payload);
  for (const json& one : description.at("arrays")) {
    if (one.at("averaging") != "" || one.at("sides").size() < 1) continue;
    const NamedArray& array = record.array(one.at("name"));
    if (array.axes.size() != one.at("sides").size() + 2)
      continue;  // pairs have places of their own
    ++exact;
    const std::vector<float> numbers = block_numbers(payload, one.at("block"), one.at("bits"));
    ASSERT_EQ(numbers.size(), array.values.size()) << one.at("name");
    for (size_t i = 0; i < numbers.size(); ++i) {
      ASSERT_EQ(static_cast<double>(numbers[i]), array.values[i]) << one.at("name") << " " << i;
    }
  }
  EXPECT_GE(exact, 2);
}

void check_maps(const AttentionRecord& record) {
  const RecordPayload payload = record_payload(record, "a.h5", "a", kRoom);
  const json maps = described(payload).at("maps");
  const NamedArray& array = record.array("map.query");
  const auto steps = maps.at("query").at("step").get<std::vector<int64_t>>();
  const auto lengths = maps.at("rowLengths").get<std::vector<int64_t>>();
  const auto on_steps = maps.at("cell").at("onStep").get<std::vector<int64_t>>();
  ASSERT_EQ(maps.at("blocks").size(), record.layers * record.heads);
  size_t block = 0;
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    for (int64_t head = 0; head < record.heads; ++head) {
      const std::vector<float> numbers = block_numbers(payload, maps.at("blocks")[block++], 16);
      auto next = numbers.begin();
      for (size_t query = 0; query < steps.size(); ++query) {
        double sum = 0;
        for (int64_t cell = 0; cell < std::ssize(on_steps); ++cell) {
          const bool is_seen = on_steps[cell] <= steps[query];
          EXPECT_EQ(is_seen, cell < lengths[query]);
          const double expected = array.at(layer, head, query, cell);
          if (is_seen) {
            ASSERT_EQ(static_cast<double>(*next), expected);
            sum += static_cast<double>(*next++);
          } else {
            EXPECT_EQ(expected, 0);
          }
        }
        EXPECT_NEAR(sum, 1, 2e-3);
      }
      EXPECT_EQ(next, numbers.end());
    }
  }
}

TEST(RecordPayload, QueryMapsAreTheFilesNumbers) {
  check_maps(explored_record());
}

TEST(RecordPayload, QueryMapsOfARasterAreTheFilesNumbers) {
  check_maps(explored_record(next_token_run()));
}

TEST(RecordPayload, MapsThatTakeMoreThanTheRoomAreOfEvenlySpacedLayers) {
  const AttentionRecord record = explored_record();
  const int64_t layer_bytes = QueryMapPayload(record).block_bytes() * record.heads * 4 / 3;
  const RecordPayload two = record_payload(record, "a.h5", "a", 2 * layer_bytes + 10);
  EXPECT_EQ(described(two).at("maps").at("layers"), (json{0, 2}));
  EXPECT_EQ(described(two).at("maps").at("blocks").size(), 2 * record.heads);
  EXPECT_THAT(two.notes, Contains(HasSubstr("maps of 2 of 3 layers")));
  const RecordPayload least = record_payload(record, "a.h5", "a", 1);
  EXPECT_EQ(described(least).at("maps").at("layers"), (json{1}));
}

TEST(RecordPayload, WithoutMapsItSaysWhatRecordsThem) {
  const RecordPayload payload = record_payload(explored_record({}, false), "a.h5", "a", kRoom);
  EXPECT_FALSE(described(payload).contains("maps"));
  const std::string command = "kvscope attention record model=toy gen.images=2 --query-maps";
  EXPECT_THAT(described(payload).at("recordMaps").get<std::string>(), HasSubstr(command));
  EXPECT_THAT(payload.notes, Contains(HasSubstr(command)));
}

TEST(RecordPayload, ImagesAreTheirBytesAndWhatIsNoPngIsLeftOut) {
  AttentionRecord record = explored_record();
  const RecordPayload payload = record_payload(record, "a.h5", "a", kRoom);
  const std::string bytes = block_bytes(payload, described(payload).at("pictures")[0]);
  EXPECT_EQ(std::vector<uint8_t>(bytes.begin(), bytes.end()), small_png());
  record.first_images = {{'<', 's', 'v', 'g'}};
  const RecordPayload without = record_payload(record, "a.h5", "a", kRoom);
  EXPECT_EQ(described(without).at("pictures").size(), 0);
  EXPECT_THAT(without.notes, Contains(HasSubstr("no PNG")));
}

TEST(RecordPayload, EqualRecordsGiveEqualPayloads) {
  const RecordPayload one = record_payload(explored_record(), "a.h5", "a", kRoom);
  const RecordPayload other = record_payload(explored_record(), "a.h5", "a", kRoom);
  EXPECT_EQ(one.description, other.description);
  ASSERT_EQ(one.blocks.size(), other.blocks.size());
  for (size_t i = 0; i < one.blocks.size(); ++i) {
    EXPECT_EQ(one.blocks[i].base64, other.blocks[i].base64);
  }
}

TEST(RecordPayload, MapsThatLackACoordinateAreRefused) {
  AttentionRecord record = explored_record();
  record.arrays.at("map.query").axes[3].coordinates.pop_back();
  EXPECT_THROW(record_payload(record, "a.h5", "a", kRoom), Error);
}

TEST(RecordPayload, MapsThatLieOutsideTheStepsAreRefused) {
  const AttentionRecord good = explored_record();
  for (const auto& [axis, coordinate, value] :
       std::vector<std::tuple<size_t, size_t, int64_t>>{{2, 0, 4},
                                                        {2, 0, -1},
                                                        {2, 1, 25},
                                                        {3, 0, 4},
                                                        {3, 1, 5},
                                                        {3, 2, -1},
                                                        {3, 3, int64_t{1} << 62},
                                                        {3, 4, 0}}) {
    AttentionRecord record = good;
    record.arrays.at("map.query").axes[axis].coordinates[coordinate].values.back() = value;
    EXPECT_THROW(record_payload(record, "a.h5", "a", kRoom), Error) << axis << " " << coordinate;
  }
}

TEST(RecordMarks, KeysOfOtherStepsAreRefused) {
  AttentionRecord record = explored_record();
  record.steps.back().grid_height = int64_t{1} << 20;
  record.steps.back().grid_width = int64_t{1} << 20;
  EXPECT_THROW(record_marks(record), Error);
}

TEST(RecordMarks, ASinkIsWhoPaysEnoughToOneTokenOfTheFirstStep) {
  AttentionRecord record = explored_record();
  NamedArray& mass = record.arrays.at("mass.key");
  const auto set_share = [&](int64_t head, double share) {
    int64_t begin = 0;
    for (size_t step = 0; step < record.steps.size(); ++step) {
      mass.values[mass.index(1, head, begin)] =
          share * static_cast<double>(record.steps[step].queries());
      begin += record.keys(static_cast<int64_t>(step));
    }
  };
  set_share(0, 0.4);
  set_share(1, 0.2);
  const RecordMarks marks = record_marks(record);
  const HeadMark& sinks = marks.heads.back();
  ASSERT_EQ(sinks.marked, "sink");
  EXPECT_NEAR(sinks.values[record.heads], 0.4, 1e-12);
  EXPECT_EQ(sinks.is_marked[record.heads], 1);
  EXPECT_NEAR(sinks.values[record.heads + 1], 0.2, 1e-12);
  EXPECT_EQ(sinks.is_marked[record.heads + 1], 0);
}

TEST(RecordMarks, WhatIsNotRecordedIsNamed) {
  AttentionRecord record = explored_record();
  record.arrays.erase("mass.history_top");
  record.arrays.erase("variance.query");
  record.arrays.erase("mass.key");
  const RecordMarks marks = record_marks(record);
  EXPECT_FALSE(marks.roles);
  EXPECT_TRUE(marks.heads.empty());
  EXPECT_THAT(marks.missing,
              testing::ElementsAre(HasSubstr("mass.history_top"), HasSubstr("variance.query"),
                                   HasSubstr("mass.key")));
}

TEST(RecordMarks, AreThoseOfRolesAndHeads) {
  const AttentionRecord scales = explored_record();
  const RecordMarks marks = record_marks(scales);
  EXPECT_EQ(marks.roles->role, layer_roles(scales).role);
  EXPECT_EQ(marks.heads.front().marked, "contextual");
  const AttentionRecord raster = explored_record(next_token_run());
  EXPECT_EQ(line_tokens(raster), 12);
  EXPECT_EQ(record_marks(raster).heads.front().marked, "spatial");
  EXPECT_EQ(record_marks(raster).roles->role, layer_roles(raster, step_groups(raster, 12)).role);
}

}  // namespace
}  // namespace kvscope
