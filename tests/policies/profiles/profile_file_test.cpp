// The one format of profiles: what is written comes back, what is wrong is named with its line, and
// files of the earlier formats are answered with the command that converts them.
#include "policies/profiles/profile_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "core/base/error.h"
#include "core/base/opened_files.h"
#include "policies/profiles/earlier_profile.h"
#include "policies/profiles/remembered_profiles.h"
#include "test_paths.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

std::filesystem::path file_of_test(const std::string& name) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder =
      std::filesystem::path(testing::TempDir()) / (std::string("kvscope_profile_") + test->name());
  std::filesystem::create_directories(folder);
  return folder / name;
}

std::filesystem::path text_file(const std::string& name, const std::string& text) {
  const auto path = file_of_test(name);
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

ProfileSource source() {
  return {.prompts = 10,
          .prompts_sha256 = std::string(64, 'a'),
          .record = "attention.h5",
          .record_sha256 = std::string(64, '0'),
          .point = "0123abcd",
          .note = "it's a note"};
}

Profile heads_profile() {
  return {.kind = ProfileKind::kHeads,
          .model = "it's \"tiny\"",
          .shape = {.layers = 2, .heads = 3, .head_dim = 4, .steps = 7, .next_token = true},
          .metric = {.name = "sparsity", .parameters = {{"recent_tokens", 32}, {"tau", 0.25}}},
          .source = source(),
          .values = {{0.5, 0.125, -2}, {1e-3, 4, 123456}}};
}

Profile roles_profile() {
  return {.kind = ProfileKind::kRoles,
          .model = "tiny",
          .shape = {.layers = 3, .heads = 2, .head_dim = 8, .steps = 4, .next_token = false},
          .metric = {.name = "selectivity", .parameters = {{"top_keys", 16}}},
          .source = source(),
          .scales = {{.first_step = 1,
                      .last_step = 1,
                      .grid = "2x2",
                      .drafters = {2},
                      .selectivity = {0.3, 0.25, 0.1},
                      .z_score = {0.9, 0.4, -1.3}},
                     {.first_step = 2,
                      .last_step = 3,
                      .grid = "3x3",
                      .drafters = {0},
                      .selectivity = {0.1, 0.2, 0.25},
                      .z_score = {-1.2, -0.1, 1.1}}}};
}

void expect_head(const Profile& read, const Profile& written) {
  EXPECT_EQ(read.kind, written.kind);
  EXPECT_EQ(read.model, written.model);
  EXPECT_EQ(read.shape, written.shape);
  EXPECT_EQ(read.metric, written.metric);
  EXPECT_EQ(read.source, written.source);
}

TEST(ProfileFile, GivesHeadsAndLayersBack) {
  const auto path = file_of_test("p.yaml");
  Profile profile = heads_profile();
  write_profile(path, profile);
  const Profile read = read_profile(path, ProfileKind::kHeads);
  expect_head(read, profile);
  EXPECT_EQ(read.values, profile.values);
  EXPECT_THAT(read.place, HasSubstr("p.yaml:5:"));
  profile.kind = ProfileKind::kLayers;
  profile.values = {{40.7177}, {0.25}};
  write_profile(path, profile);
  EXPECT_EQ(read_profile(path, ProfileKind::kLayers).values, profile.values);
}

TEST(ProfileFile, IsReadOnceWhereProfilesAreRemembered) {
  const auto path = file_of_test("p.yaml");
  Profile profile = heads_profile();
  const auto model_now = [&] { return RememberedProfiles::read(path, ProfileKind::kHeads).model; };
  const auto write_as = [&](const std::string& model) {
    profile.model = model;
    write_profile(path, profile);
  };
  write_as("first");
  {
    const RememberedProfiles remembered;
    EXPECT_EQ(model_now(), "first");
    write_as("second");
    const OpenedFiles opened;
    EXPECT_EQ(model_now(), "first");
    EXPECT_THAT(opened.files(), testing::ElementsAre(std::filesystem::canonical(path)));
    EXPECT_THAT(refusal([&] { RememberedProfiles::read(path, ProfileKind::kLayers); }),
                HasSubstr("expected 'layers'"));
    const RememberedProfiles inner;
    EXPECT_EQ(model_now(), "second");
  }
  write_as("third");
  EXPECT_EQ(model_now(), "third");
}

TEST(ProfileFile, GivesRolesBack) {
  const auto path = file_of_test("p.yaml");
  const Profile profile = roles_profile();
  write_profile(path, profile);
  const Profile read = read_profile(path, ProfileKind::kRoles);
  expect_head(read, profile);
  ASSERT_EQ(read.scales.size(), 2);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read.scales[i].first_step, profile.scales[i].first_step);
    EXPECT_EQ(read.scales[i].last_step, profile.scales[i].last_step);
    EXPECT_EQ(read.scales[i].grid, profile.scales[i].grid);
    EXPECT_EQ(read.scales[i].drafters, profile.scales[i].drafters);
    EXPECT_EQ(read.scales[i].selectivity, profile.scales[i].selectivity);
    EXPECT_EQ(read.scales[i].z_score, profile.scales[i].z_score);
  }
  EXPECT_EQ(drafter_pairs(read), 2);
}

/// What is said of a profile in which `from` is replaced by `to`.
std::string changed(const Profile& profile, const std::string& from, const std::string& to) {
  const auto path = file_of_test("changed.yaml");
  write_profile(path, profile);
  std::ifstream stream(path);
  std::string text((std::istreambuf_iterator<char>(stream)), {});
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  std::ofstream(path) << text;
  return refusal([&] { read_profile(path, profile.kind); });
}

TEST(ProfileFile, SaysWhatIsWrongAndWhere) {
  const Profile heads = heads_profile();
  EXPECT_THAT(changed(heads, "kvscope.profile/1", "kvscope.profile/9"), HasSubstr("no profile"));
  EXPECT_THAT(changed(heads, "kind: heads", "kind: head"), HasSubstr("Did you mean 'heads'?"));
  EXPECT_THAT(changed(heads, "kind: heads", "kind: layers"),
              AllOf(HasSubstr("changed.yaml:3:"), HasSubstr("expected 'heads'")));
  EXPECT_THAT(changed(heads, "layers: 2", "layers: 0"),
              AllOf(HasSubstr("changed.yaml:5:"), HasSubstr("expected 1..")));
  EXPECT_THAT(changed(heads, "layers: 2", "layers: 3"),
              AllOf(HasSubstr("changed.yaml:11:"), HasSubstr("2 layers; the shape says 3")));
  EXPECT_THAT(changed(heads, "heads: 3,", "heads: 4,"), HasSubstr("3 numbers; expected 4"));
  EXPECT_THAT(changed(heads, "0.125", ".nan"), HasSubstr("finite"));
  EXPECT_THAT(changed(heads, "0.125", "x"), HasSubstr("changed.yaml:11:"));
  EXPECT_THAT(changed(heads, "next_token", "next_tokens"), HasSubstr("Did you mean 'next_token'?"));
  EXPECT_THAT(changed(heads, "values:", "value:"), HasSubstr("values"));
  EXPECT_THAT(changed(heads, std::string(64, '0'), "12"), HasSubstr("64 hex digits"));
  EXPECT_THAT(changed(heads, "count: 10", "count: -1"), HasSubstr("expected 0.."));
  const Profile roles = roles_profile();
  EXPECT_THAT(changed(roles, "drafters: [2]", "drafters: [3]"), HasSubstr("layers of 0..2"));
  EXPECT_THAT(changed(roles, "first_step: 2", "first_step: 1"), HasSubstr("expected 2..3"));
  EXPECT_THAT(changed(roles, "last_step: 3", "last_step: 4"), HasSubstr("expected 2..3"));
  EXPECT_THAT(changed(roles, "asi: [0.3, ", "asi: ["), HasSubstr("2 numbers; expected 3"));
  EXPECT_THAT(changed(roles, "z: [0.9", "z: [.nan"), HasSubstr("finite"));
  EXPECT_THAT(changed(roles, "scales:", "scale:"), HasSubstr("scales"));
}

TEST(ProfileFile, ForeignFilesAreNamed) {
  const auto said = [](const std::filesystem::path& path) {
    return refusal([&] { read_profile(path, ProfileKind::kHeads); });
  };
  EXPECT_THAT(said("/nowhere/p.yaml"), HasSubstr("/nowhere/p.yaml"));
  EXPECT_THAT(said("/"), HasSubstr("cannot be read as a profile"));
  EXPECT_THAT(said(text_file("notes.yaml", "only words\n")), HasSubstr("notes.yaml"));
  EXPECT_THAT(said(text_file("empty.yaml", "")), HasSubstr("empty.yaml"));
  EXPECT_THAT(said(text_file("bytes.yaml", std::string("\x89HDF\r\n\0\xff", 8))),
              HasSubstr("bytes.yaml"));
  EXPECT_THAT(said(text_file("list.yaml", "- 1\n- 2\n")), HasSubstr("list.yaml"));
}

TEST(EarlierProfile, TablesAreAnsweredWithTheCommandThatConvertsThem) {
  const auto path =
      text_file("mine.csv", "# Sparsity of heads of tiny: a line a layer\n1,2\n3,4\n");
  EXPECT_THAT(refusal([&] { read_profile(path, ProfileKind::kHeads); }),
              EndsWith("Convert it: kvscope attention convert-profile " + path.string() +
                       " --model tiny --out " +
                       std::filesystem::path(path).replace_extension(".yaml").string()));
  const auto bare = text_file("bare.txt", "1\n2\n3\n");
  EXPECT_THAT(refusal([&] { read_profile(bare, ProfileKind::kLayers); }),
              HasSubstr("--model NAME --out "));
}

TEST(EarlierProfile, ReadsWhatTablesSay) {
  const auto heads = read_earlier_profile(text_file(
      "heads.csv",
      "# Sparsity of heads of shapes_next_token: a line a layer, 2 heads each\n"
      "# share of attention outside a query's neighbourhood: itself and the last 32 tokens\n"
      "# mean of 100 images\n\n 0.5, 1e-3\t\n3 4 # the last\r\n"));
  ASSERT_TRUE(heads.has_value());
  EXPECT_EQ(heads->profile.kind, ProfileKind::kHeads);
  EXPECT_EQ(heads->profile.values, (std::vector<std::vector<double>>{{0.5, 1e-3}, {3, 4}}));
  EXPECT_EQ(heads->profile.model, "shapes_next_token");
  EXPECT_EQ(heads->profile.metric.name, "sparsity");
  EXPECT_EQ(heads->profile.metric.parameters.at("recent_tokens"), 32);
  EXPECT_EQ(heads->profile.source.prompts, 100);
  const auto layers = read_earlier_profile(text_file(
      "layers.txt",
      "# CAKE's preference of every layer of m: entropy^(1/2) * variance^(1/0.5)\n1\n2\n"));
  ASSERT_TRUE(layers.has_value());
  EXPECT_EQ(layers->profile.kind, ProfileKind::kLayers);
  EXPECT_EQ(layers->profile.model, "m");
  EXPECT_EQ(layers->profile.metric.parameters.at("tau1"), 2);
  EXPECT_EQ(layers->profile.metric.parameters.at("tau2"), 0.5);
  for (const char* no_table : {"1 2\n3\n", "1 x\n", "1 nan\n", "# nothing\n", "a: 1\n"}) {
    EXPECT_FALSE(read_earlier_profile(text_file("no.txt", no_table)).has_value()) << no_table;
  }
}

TEST(EarlierProfile, ReadsRoles) {
  const auto path = text_file(
      "roles.yaml",
      "schema: kvscope.roles/1\nmodel: 'tiny'\npoint: '01'\nrecord: 'attention.h5'\nimages: 3\n"
      "top_keys: 16\nsampled_queries: 64\nlayers: 2\nheads: 5\nsteps: 4\ndrafters: 1\nscales:\n"
      "  - {first_step: 1, last_step: 3, grid: '2x2', drafters: [1],\n     asi: [0.5, 0.25],\n"
      "     z: [1, -1]}\n");
  const auto roles = read_earlier_profile(path);
  ASSERT_TRUE(roles.has_value());
  EXPECT_EQ(roles->profile.kind, ProfileKind::kRoles);
  EXPECT_EQ(roles->profile.shape.heads, 5);
  EXPECT_EQ(roles->profile.scales.at(0).drafters, (std::vector<int64_t>{1}));
  EXPECT_EQ(roles->profile.source.prompts, 3);
  EXPECT_THAT(refusal([&] { read_profile(path, ProfileKind::kRoles); }),
              HasSubstr("kvscope attention convert-profile " + path.string() + " --model tiny"));
}

TEST(ProfileShape, FitsItsModelAndThatWithFewerLayers) {
  const CacheGeometry geometry{
      .layers = 4, .heads = 3, .head_dim = 8, .steps = next_token_steps(3, 5)};
  const ProfileShape shape = ProfileShape::of(geometry);
  EXPECT_TRUE(shape.fits(geometry));
  const auto with = [&](const std::function<void(CacheGeometry&)>& change) {
    CacheGeometry other = geometry;
    change(other);
    return shape.fits(other);
  };
  EXPECT_TRUE(with([](CacheGeometry& other) { other.layers = 2; }));
  EXPECT_TRUE(with([](CacheGeometry& other) { other.steps = next_token_steps(9, 5); }));
  EXPECT_FALSE(with([](CacheGeometry& other) { other.layers = 5; }));
  EXPECT_FALSE(with([](CacheGeometry& other) { other.heads = 2; }));
  EXPECT_FALSE(with([](CacheGeometry& other) { other.head_dim = 4; }));
  EXPECT_FALSE(with([](CacheGeometry& other) { other.steps = next_scale_steps({{1, 1}}); }));
  Profile profile{.kind = ProfileKind::kHeads, .model = "m", .shape = shape, .place = "p.yaml:5:8"};
  CacheGeometry other = geometry;
  other.heads = 2;
  EXPECT_THAT(refusal([&] { check_profile(profile, other); }),
              AllOf(HasSubstr("p.yaml:5:8: made for m (4 layers x 3 heads of 8 channels"),
                    HasSubstr("4 layers x 2 heads"), HasSubstr("kvscope attention heads")));
  profile.kind = ProfileKind::kRoles;
  other = geometry;
  other.steps.pop_back();
  EXPECT_THAT(refusal([&] { check_profile(profile, other); }), HasSubstr("6 steps"));
}

// Every profile that ships is of today's format and knows where it is from.
TEST(ShippedProfiles, AreWhole) {
  const std::filesystem::path data = std::filesystem::path(kSourceDir) / "configs/data";
  const std::map<std::string, ProfileKind> kinds = {{"heads", ProfileKind::kHeads},
                                                    {"preferences", ProfileKind::kLayers},
                                                    {"roles", ProfileKind::kRoles}};
  int64_t count = 0;
  for (const auto& [folder, kind] : kinds) {
    for (const auto& entry : std::filesystem::directory_iterator(data / folder)) {
      const Profile profile = read_profile(entry.path(), kind);
      EXPECT_FALSE(profile.model.empty()) << entry.path();
      EXPECT_NE(profile.metric.name, "unknown") << entry.path();
      EXPECT_GT(profile.shape.head_dim, 0) << entry.path();
      EXPECT_EQ(profile.source.prompts, 100) << entry.path();
      ++count;
    }
  }
  EXPECT_EQ(count, 8);
}

}  // namespace
}  // namespace kvscope
