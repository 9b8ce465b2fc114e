#include "experiments/sweep/run_keys.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "core/base/error.h"
#include "core/config/compose.h"
#include "core/config/format.h"
#include "core/config/repository.h"
#include "core/config/yaml.h"
#include "experiments/training/train_settings.h"
#include "sweep_testing.h"
#include "test_paths.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::filesystem::path kConfigs = std::filesystem::path(kSourceDir) / "configs";

std::string refusal(const std::vector<std::string>& overrides) {
  try {
    points_of(overrides, PointIdentity::kNone);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "accepted";
}

ConfigNode composed(const std::vector<std::string>& overrides) {
  ComposeRequest request;
  request.folders = {kConfigs};
  request.overrides = overrides;
  return compose(request).config;
}

/// Whether a YAML value says the same as a reader's default: 3.0 is [3.0], 1 is 1.0.
bool same_value(const ConfigNode& given, const ConfigNode& standard) {
  if (standard.is_list() && !given.is_list()) {
    return standard.size() == 1 && same_value(given, standard.items().front());
  }
  if (standard.kind() == ConfigKind::kFloat && !given.is_container() && !given.is_string() &&
      !given.is_null()) {
    return given.as_double() == standard.as_double();
  }
  return given == standard;
}

void expect_shown(const OptionInfo& option, const ConfigNode& config) {
  const ConfigNode* given = config.find(option.key);
  ASSERT_NE(given, nullptr) << option.key << ": no YAML shows it";
  if (!option.default_from.empty()) return;
  const ConfigNode standard = option.default_value.value_or(ConfigNode());
  EXPECT_TRUE(same_value(*given, standard))
      << option.key << ": " << canonical_json(*given) << " in YAML, " << canonical_json(standard)
      << " in its reader";
}

TEST(RunKeys, DefaultsAreThoseThatTheYamlShows) {
  const ConfigNode config = composed({});
  for (const RunKey& key : run_keys()) {
    const std::string& name = key.option.key;
    // An experiment's own keys, which no default configuration has.
    if (!key.readers.empty() || name == "mode" || name == "table" || name == "policy") continue;
    // Files and settings of single metrics are declared in their sources; docs/keys.md shows them.
    if (name.starts_with("metrics.") && name != "metrics.list") continue;
    expect_shown(key.option, config);
  }
  for (const auto& [family, file] :
       {std::pair{"infinity", "shapes_next_scale"}, std::pair{"janus", "shapes_next_token"}}) {
    ConfigNode training = ConfigNode::map();
    training.set("train", load_yaml_file(kConfigs / "train" / (std::string(file) + ".yaml")));
    Options options = Options::describing("train");
    static_cast<void>(read_training(family, options));
    for (const OptionInfo& option : options.asked()) expect_shown(option, training);
  }
}

TEST(RunKeys, EveryKeyIsExplained) {
  for (const auto& keys : {run_keys(), policy_keys(ComponentRegistry())}) {
    EXPECT_GT(keys.size(), 50);
    for (const RunKey& key : keys) {
      EXPECT_FALSE(key.option.help.empty()) << key.option.key;
      EXPECT_FALSE(describe(key).empty()) << key.option.key;
    }
  }
}

TEST(RunKeys, EveryYamlOfTheRepositoryIsAccepted) {
  ConfigRepository repository({kConfigs});
  for (const std::string group : {"model", "gen", "prompts", "metrics", "budget"}) {
    for (const std::string& name : repository.options(group)) {
      SCOPED_TRACE(group + "/" + name);
      std::vector<std::string> overrides = {group + "=" + name};
      if (name == "file") overrides.emplace_back("prompts.file=a.txt");
      EXPECT_NO_THROW(check_config(composed(overrides), ConfigUse::kRun));
    }
  }
  for (const std::string& name : repository.options("train")) {
    const ConfigNode config = composed({"+train=" + name, "model=" + name});
    EXPECT_NO_THROW(check_config(config, ConfigUse::kTrain));
    EXPECT_THROW(check_config(config, ConfigUse::kRun), Error) << "a run reads no train group";
  }
}

TEST(RunKeys, AKeyOfOtherFamiliesNamesThem) {
  EXPECT_THAT(refusal({"+model.cfg_interval=5"}),
              AllOf(HasSubstr("override '+model.cfg_interval=5': unknown key 'model.cfg_interval'"),
                    HasSubstr("family infinity"), HasSubstr("llamagen")));
  EXPECT_THAT(
      refusal({"model=llamagen_b", "+model.vae.phis=3"}),
      AllOf(HasSubstr("override '+model.vae.phis=3': unknown key"), HasSubstr("those of var")));
  EXPECT_THAT(refusal({"+model.transformer.widht=5"}),
              HasSubstr("Did you mean 'model.transformer.width'?"));
  EXPECT_THAT(refusal({"+model.transformer.zzz=5"}), HasSubstr("Known here: size, depth"));
  EXPECT_EQ(refusal({"model=llamagen_b", "model.cfg_interval=5", "gen.images=1"}), "accepted");
}

TEST(RunKeys, AKeyInTheWrongPlaceNamesTheRightOne) {
  EXPECT_THAT(refusal({"+gen.ratio=0.1"}), HasSubstr("Did you mean 'budget.ratio'?"));
  EXPECT_THAT(refusal({"+sed=3"}), HasSubstr("Did you mean 'seed'?"));
  EXPECT_THAT(refusal({"+gen.imges=3", "+budget.ration=0.1"}),
              AllOf(HasSubstr("'gen.images'"), HasSubstr("\n"), HasSubstr("'budget.ratio'")))
      << "everything at once";
  EXPECT_THAT(refusal({"+record.top_keys=3"}), HasSubstr("unknown key 'record'"));
  const ConfigNode config = composed(
      {"model=shapes_next_scale", "+train=shapes_next_scale", "+train.transformer.short_scale=5"});
  try {
    check_config(config, ConfigUse::kTrain);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("Did you mean 'train.transformer.short_scales'?"));
  }
}

TEST(RunKeys, TheHashLeavesOutWhatChangesNoImageAndDefaultsOfYoungKeys) {
  const std::vector<std::string> plain = keys_outside_hash(composed({}));
  EXPECT_THAT(plain,
              testing::IsSupersetOf({"name", "seed", "threads", "workers", "infeasible", "gen.cuts",
                                     "gen.store_last_scale", "prompts.list", "gen.images",
                                     "gen.batch", "gen.replicas", "metrics.list"}));
  for (const char* counted : {"device", "prompt", "gen.seed", "prompts.file"}) {
    EXPECT_THAT(plain, Not(testing::Contains(counted)));
  }
  EXPECT_THAT(keys_outside_hash(composed({"gen.cuts=per_step"})),
              Not(testing::Contains("gen.cuts")));
  EXPECT_THAT(keys_outside_hash(composed({"prompts=imagenet_classes"})),
              Not(testing::Contains("prompts.list")));
  EXPECT_THAT(keys_outside_hash(composed({"policy=masked"})),
              testing::Contains("policy.read.from_steps"));
  EXPECT_THAT(keys_outside_hash(composed({"policy=masked", "policy.read.from_steps=[2]"})),
              Not(testing::Contains("policy.read.from_steps")));
  EXPECT_THAT(keys_outside_hash(composed({"policy=masked",
                                          "policy.read={name: other, "
                                          "from_steps: all}"})),
              Not(testing::Contains("policy.read.from_steps")))
      << "another component's key of the same name is its own affair";
}

// "gen.batch" in "a smaller gen.batch": keys as they stand in texts, "model." tensors left out.
std::set<std::string> keys_named_in(const std::filesystem::path& file) {
  std::ifstream stream(file);
  const std::string source(std::istreambuf_iterator<char>(stream), {});
  static const std::regex literals("\"([^\"\n\\\\]|\\\\.)*\"");
  static const std::regex keys(
      "(^|[^A-Za-z0-9_./])((policy|gen|budget|model|prompts|metrics|train)(\\.[a-z][a-z0-9_]*)+)");
  std::set<std::string> found;
  for (std::sregex_iterator text(source.begin(), source.end(), literals), end; text != end;
       ++text) {
    const std::string literal = text->str();
    const bool is_text = literal.find_first_of(" =:{") != literal.npos;
    for (std::sregex_iterator key(literal.begin(), literal.end(), keys); key != end; ++key) {
      if (key->str(3) == "model" && !is_text) continue;
      if (key->str(2).ends_with(".json") || key->str(2).ends_with(".jsonl")) continue;  // files
      found.insert(key->str(2));
    }
  }
  return found;
}

TEST(RunKeys, MessagesNameKeysThatExist) {
  std::set<std::string> known;
  for (const auto& keys : {run_keys(), policy_keys(ComponentRegistry())}) {
    for (const RunKey& key : keys) {
      std::string name = key.option.key;  // and the groups that it stands in
      for (size_t dot = name.size(); dot != name.npos; dot = name.rfind('.')) {
        name.resize(dot);
        known.insert(name);
      }
    }
  }
  for (const char* slot :
       {"allocate", "score", "protect", "store", "schedule", "read", "name", "summary", "source"}) {
    known.insert(std::string("policy.") + slot);
  }
  // Of the last version, taken as what they are called now.
  known.insert(
      {"policy.score.rotation", "policy.score.attended_share", "policy.score.attended_tokens"});
  known.insert("policy.folder");  // the leaderboard's own, of no configuration
  int64_t named = 0;
  for (const char* folder :
       {"core/engine", "core/models", "core/device", "policies", "experiments"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             std::filesystem::path(kSourceDir) / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".cpp" && extension != ".h") continue;
      for (const std::string& key : keys_named_in(entry.path())) {
        ++named;
        EXPECT_TRUE(known.contains(key)) << entry.path() << " names '" << key << "'";
      }
    }
  }
  EXPECT_GT(named, 30);
}

}  // namespace
}  // namespace kvscope
