#include "core/config/options.h"

#include "config_testing.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Settings {
  int64_t window = 0;
  std::optional<int64_t> images{};
  std::optional<int64_t> sinks{};
  double ratio = 0;
  bool last = false;
  std::string pool{};
  std::optional<std::string> file{};
  std::vector<double> cfg{};
  std::vector<int64_t> grid{};
  std::vector<std::string> metrics{};
  bool has_extra = false;
};

Settings read(Options& options) {
  Settings s;
  s.window = options.integer({.key = "score.window",
                              .default_value = 16,
                              .min = 1,
                              .max = 31,
                              .unit = "tokens",
                              .help = "queries that look"});
  s.images = options.integer_or_null({.key = "images", .default_value = 12, .min = 1});
  s.sinks = options.integer_or_word({.key = "sinks", .default_value = 4, .min = 0}, "text");
  s.ratio = options.number({.key = "ratio", .default_value = 1.0, .min = 0, .max = 1});
  s.last = options.flag({.key = "last", .default_value = false});
  s.pool = options.word({.key = "pool", .default_value = "max", .allowed = {"max", "average"}});
  s.file = options.word_or_null({.key = "file"});
  s.cfg = options.numbers({.key = "cfg", .default_value = std::vector<double>{3}, .min = 0});
  s.grid = options.integers({.key = "grid", .default_value = std::vector<int64_t>{2, 2}});
  s.metrics = options.words(
      {.key = "metrics", .default_value = std::vector<std::string>{}, .allowed = {"psnr", "ssim"}});
  s.has_extra = options.value({.key = "extra", .accepts = "anything"}) != nullptr;
  return s;
}

Settings read_text(const std::string& yaml) {
  const ConfigNode node = load_yaml_text(yaml, "c.yaml");
  Options options("gen", node);
  Settings settings = read(options);
  options.finish();
  return settings;
}

std::string refusal(const std::string& yaml) {
  return error_of([&] { read_text(yaml); });
}

std::vector<std::string> findings(const std::string& yaml) {
  const ConfigNode node = load_yaml_text(yaml, "c.yaml");
  Options options = Options::checking("gen", node);
  read(options);
  return options.findings();
}

TEST(Options, ReadsWhatIsGivenAndDefaultsOtherwise) {
  const Settings plain = read_text("{}");
  EXPECT_EQ(plain.window, 16);
  EXPECT_EQ(plain.images, 12);
  EXPECT_EQ(plain.sinks, 4);
  EXPECT_EQ(plain.file, std::nullopt);
  EXPECT_EQ(plain.cfg, std::vector<double>{3});
  EXPECT_FALSE(plain.has_extra);
  const Settings given = read_text(
      "{score: {window: 3}, images: null, sinks: text, ratio: 1, last: true, pool: average, "
      "file: a.txt, cfg: [1, 2.5], grid: [4, 5], metrics: [ssim], extra: {any: [thing]}}");
  EXPECT_EQ(given.window, 3);
  EXPECT_EQ(given.images, std::nullopt);
  EXPECT_EQ(given.sinks, std::nullopt);
  EXPECT_EQ(given.ratio, 1.0);
  EXPECT_TRUE(given.last);
  EXPECT_EQ(given.pool, "average");
  EXPECT_EQ(given.file, "a.txt");
  EXPECT_THAT(given.cfg, ElementsAre(1, 2.5));
  EXPECT_THAT(given.grid, ElementsAre(4, 5));
  EXPECT_THAT(given.metrics, ElementsAre("ssim"));
  EXPECT_TRUE(given.has_extra);
  EXPECT_THAT(read_text("{cfg: 2}").cfg, ElementsAre(2));
  EXPECT_EQ(read_text("score: null").window, 16);  // a group that was not chosen
}

TEST(Options, UnknownKeysNameThePlaceTheNearestAndItsRange) {
  EXPECT_THAT(refusal("score:\n  windw: 5\n"),
              HasSubstr("c.yaml:2:10: unknown key 'gen.score.windw'. Did you mean "
                        "'gen.score.window'? (int, 1..31, tokens, default 16)"));
  EXPECT_THAT(refusal("scor: {window: 1}"), HasSubstr("Did you mean 'gen.score'?"));
  EXPECT_THAT(refusal("window: 3"), HasSubstr("Did you mean 'gen.score.window'?"));
  EXPECT_THAT(refusal("score: 3"), HasSubstr("'gen.score' must be a mapping, got an integer"));
  EXPECT_THAT(refusal("zzz: 3"),
              AllOf(HasSubstr("Known here: score, images"), Not(HasSubstr("?"))));
  EXPECT_THAT(refusal("{imges: 1, polo: max}"),
              AllOf(HasSubstr("'gen.images'"), HasSubstr("\n"), HasSubstr("'gen.pool'")));
  EXPECT_THAT(refusal("- 1"), HasSubstr("'gen' must be a mapping"));
  EXPECT_THAT(refusal("{a.b: 3}"), HasSubstr("c.yaml:1:7: unknown key 'gen.a.b'"));
  EXPECT_THAT(refusal("{1: 3}"), HasSubstr("unknown key 'gen.1'"));
}

TEST(Options, ElsewhereSaysWhoKnowsAKey) {
  const auto finish = [](const std::string& yaml) {
    const ConfigNode node = load_yaml_text(yaml, "c.yaml");
    Options options("model", node);
    EXPECT_EQ(options.integer({.key = "cfg", .default_value = 1}), 1);
    return error_of([&] {
      options.finish([](const std::string& key) {
        return key == "model.cfg_interval" || key == "model.vae.phis" ? key + " is VAR's." : "";
      });
    });
  };
  EXPECT_EQ(finish("cfg_interval: 5"),
            "c.yaml:1:15: unknown key 'model.cfg_interval'. model.cfg_interval is VAR's.");
  EXPECT_EQ(finish("vae: {codes: 3, phis: 4}"),
            "c.yaml:1:23: unknown key 'model.vae.phis'. model.vae.phis is VAR's.");
  EXPECT_EQ(finish("vae: {codes: 3}"), "c.yaml:1:6: unknown key 'model.vae'. Known here: cfg.");
}

TEST(Options, WrongTypesAndRangesSayWhatIsAllowedAndWhatIsNearest) {
  EXPECT_EQ(refusal("\nscore: {window: 40}"),
            "c.yaml:2:17: 'gen.score.window' is 40; allowed: int, 1..31, tokens, default 16; "
            "nearest feasible: gen.score.window=31");
  EXPECT_THAT(refusal("score: {window: 1.5}"),
              HasSubstr("'gen.score.window' must be int, 1..31, tokens, default 16, got a float "
                        "'1.5'"));
  EXPECT_THAT(refusal("score: {window: null}"), HasSubstr("got null"));
  EXPECT_THAT(refusal("images: 0"), HasSubstr("nearest feasible: gen.images=1"));
  EXPECT_THAT(refusal("sinks: txt"), HasSubstr("Did you mean 'text'?"));
  EXPECT_THAT(refusal("sinks: -1"), HasSubstr("nearest feasible: gen.sinks=0"));
  EXPECT_THAT(refusal("ratio: 1.5"), HasSubstr("nearest feasible: gen.ratio=1"));
  EXPECT_THAT(refusal("ratio: .nan"), HasSubstr("nan"));
  EXPECT_THAT(refusal("last: 1"), HasSubstr("must be bool"));
  EXPECT_THAT(refusal("pool: mux"), HasSubstr("'gen.pool' is 'mux'. Did you mean 'max'?"));
  EXPECT_THAT(refusal("cfg: [1, -2]"), HasSubstr("'gen.cfg' is -2"));
  EXPECT_THAT(refusal("cfg: [1, a]"), HasSubstr("list of numbers"));
  EXPECT_THAT(refusal("metrics: [psn]"), HasSubstr("'psnr'"));
  EXPECT_THAT(refusal("file: ???"), HasSubstr("give it as gen.file="));
}

TEST(Options, OneOfAKindIsAListOfOne) {
  const Settings settings = read_text("{cfg: 2, grid: 3, metrics: ssim}");
  EXPECT_EQ(settings.cfg, std::vector<double>{2});
  EXPECT_EQ(settings.grid, std::vector<int64_t>{3});
  EXPECT_EQ(settings.metrics, std::vector<std::string>{"ssim"});
  EXPECT_THAT(refusal("metrics: sim"), HasSubstr("Did you mean 'ssim'?"));
}

TEST(Options, WhatDoesNotCountHereIsFoundAsUnread) {
  const auto unread = [](const std::string& yaml, WrittenIn where) {
    const ConfigNode node = load_yaml_text(yaml, "c.yaml");
    Options options = Options::checking("gen", node);
    static_cast<void>(read(options));
    options.unused("file", "pool is max", where);
    return options.unread();
  };
  ASSERT_EQ(unread("{file: a.txt}", WrittenIn::kAnywhere).size(), 1);
  const UnreadKey found = unread("{file: a.txt}", WrittenIn::kAnywhere).front();
  EXPECT_EQ(found.key, "gen.file");
  EXPECT_EQ(found.finding, "c.yaml:1:8: 'gen.file' is not read: pool is max");
  EXPECT_THAT(unread("{file: null}", WrittenIn::kAnywhere), IsEmpty());
  EXPECT_THAT(unread("{}", WrittenIn::kAnywhere), IsEmpty());
  EXPECT_THAT(unread("{file: a.txt}", WrittenIn::kOverride), IsEmpty()) << "it stands in a file";
}

TEST(Options, CheckingFindsEverythingAtOnce) {
  EXPECT_THAT(
      findings("{score: {window: 0}, pool: mux, imges: 3}"),
      ElementsAre(HasSubstr("gen.score.window"), HasSubstr("gen.pool"), HasSubstr("gen.imges")));
  EXPECT_THAT(findings("{score: {window: 2}}"), IsEmpty());
}

TEST(Options, DescribingListsWhatAReaderKnows) {
  Options options = Options::describing("gen");
  const Settings defaults = read(options);
  EXPECT_EQ(defaults.window, 16);
  ASSERT_EQ(options.asked().size(), 11);
  const OptionInfo& window = options.asked().front();
  EXPECT_EQ(window.key, "gen.score.window");
  EXPECT_EQ(window.help, "queries that look");
  std::vector<std::string> texts;
  for (const OptionInfo& option : options.asked()) texts.push_back(describe(option));
  EXPECT_THAT(
      texts,
      ElementsAre("int, 1..31, tokens, default 16", "int, at least 1, default 12, or null",
                  "int, at least 0, or the word text, default 4", "float, 0..1, default 1.0",
                  "bool, default false", "string, one of max average, default max",
                  "string, default null", "number or list of numbers, at least 0, default [3.0]",
                  "int or list of ints, default [2,2]",
                  "string or list of strings, one of psnr ssim, default []",
                  "anything, default null"));
}

TEST(Options, KeysWithoutADefaultMustBeGiven) {
  const ConfigNode node = load_yaml_text("{}", "c.yaml");
  Options options("model", node);
  EXPECT_THAT(error_of([&] { static_cast<void>(options.word({.key = "name"})); }),
              HasSubstr("'model.name' is not given; expected model.name=... (string)"));
}

}  // namespace
}  // namespace kvscope
