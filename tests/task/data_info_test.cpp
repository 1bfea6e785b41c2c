#include "task/data_info.h"

#include <limits>

#include "data_testing.h"

using namespace amae;

TEST_CASE("info counts rows, classes, folds, sources, rates and channels") {
  auto toy = clean_toy();
  toy->group_column[1] = toy->group_column[0];
  toy->signals[0] = {at::zeros({2, 16'000}), 16'000, Domain::audio};  // 1 s, stereo
  toy->signals[1].samples = at::zeros({1, 2000});                     // 0.25 s
  toy->signals[2].samples = at::Tensor();                             // cannot be read
  const DataInfo info = data_info(target_of(toy));
  CHECK(info.rows == 12);
  CHECK(info.domain == "audio");
  CHECK(info.classes == std::vector<std::string>{"cat", "dog"});
  CHECK(info.folds == std::vector<int64_t>{1, 2});
  CHECK(info.counts == std::vector<std::vector<int64_t>>{{3, 3}, {3, 3}});
  CHECK(info.groups == 11);
  CHECK(info.rates == std::map<double, int64_t>{{8000, 10}, {16'000, 1}});
  CHECK(info.channels == std::map<int64_t, int64_t>{{1, 10}, {2, 1}});
  CHECK(info.seconds.known == 11);
  CHECK(info.seconds.total == 1 + 0.25 + 9 * 0.5);
  CHECK(info.seconds.shortest == 0.25);
  CHECK(info.seconds.median == 0.5);
  CHECK(info.seconds.longest == 1);
  REQUIRE(info.unreadable.size() == 1);
  CHECK(info.unreadable[0].field == "row2");

  const auto json = to_json(info);
  CHECK(json.at("classes")[1] == nlohmann::ordered_json({{"name", "dog"}, {"rows", 6}, {"by_fold", {3, 3}}}));
  CHECK(json.at("unreadable")[0].at("item") == "row2");
}

TEST_CASE("info takes several labels a row, none, and unknown lengths") {
  auto toy = clean_toy();
  toy->label_column = at::zeros({12, 2});
  toy->label_column[0].fill_(1);
  toy->label_column[1][1] = 1;
  toy->fold_column.clear();
  for (Signal& signal : toy->signals) signal.rate_hz = 0;
  DataInfo info = data_info(target_of(toy));
  CHECK(info.several_labels);
  CHECK(info.counts == std::vector<std::vector<int64_t>>{{1}, {2}});
  CHECK(info.unlabelled == 10);
  CHECK(info.folds.empty());
  CHECK(info.seconds.known == 0);
  CHECK(info.rates == std::map<double, int64_t>{{0, 12}});

  toy->label_column = at::Tensor();
  toy->names.clear();
  info = data_info(target_of(toy));
  CHECK(info.classes.empty());
  CHECK(info.unlabelled == 0);
  CHECK(counts_svg(info).ends_with("</svg>\n"));
}

TEST_CASE("info tells the lengths of rows, and what stands in each column") {
  const auto toy = iq_toy();
  toy->signals[0].samples = at::zeros({2, 100});
  toy->number_columns["snr"][1] = std::numeric_limits<double>::quiet_NaN();
  toy->texts["modulation"].index[2] = -1;
  const DataInfo info = data_info(target_of(toy));
  CHECK(info.domain == "iq");
  CHECK(info.samples.known == 12);
  CHECK(info.samples.shortest == 100);
  CHECK(info.samples.longest == 128);
  REQUIRE(info.columns.size() == 2);
  CHECK(info.columns[0].name == "snr");
  CHECK(info.columns[0].is_numeric);
  CHECK(info.columns[0].lowest == -20);
  CHECK(info.columns[0].highest == 2);
  CHECK(info.columns[0].distinct == 11);
  CHECK(info.columns[0].missing == 1);
  CHECK(info.columns[1].name == "modulation");
  CHECK(info.columns[1].distinct == 2);
  CHECK(info.columns[1].missing == 1);
  CHECK(info.columns[1].examples == toy->names);
  const auto json = to_json(info);
  CHECK(json.at("samples").at("longest") == 128);
  CHECK(json.at("columns")[0].at("kind") == "number");
  CHECK(json.at("columns")[1].at("examples")[0] == "BPSK");
}

TEST_CASE("info counts the texts that rows have, not those that a column could have") {
  const auto toy = iq_toy();
  TextColumn& rig = toy->texts["rig"];
  for (int i = 0; i < 40; ++i) rig.values.push_back("rig " + std::to_string(i));
  rig.index = {30, -1, 7, 30, 7, 7, 30, 30, -1, 39, 7, 30};
  toy->texts["site"] = {{"north", "south"}, std::vector<int32_t>(12, -1)};
  const DataInfo info = data_info(target_of(toy));
  REQUIRE(info.columns.size() == 4);
  CHECK(info.columns[2].name == "rig");
  CHECK(info.columns[2].distinct == 3);
  CHECK(info.columns[2].missing == 2);
  CHECK(info.columns[2].examples == std::vector<std::string>{"rig 7", "rig 30", "rig 39"});
  CHECK(info.columns[3].distinct == 0);
  CHECK(info.columns[3].missing == 12);
  CHECK(info.columns[3].examples.empty());

  rig.index = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20};
  CHECK(data_info(target_of(toy)).columns[2].examples.back() == "rig 20");
}

TEST_CASE("the picture of the counts has a piece for each class and fold") {
  const std::string svg = counts_svg(data_info(target_of(clean_toy())));
  for (const char* piece : {"<title>cat, fold 1: 3</title>", "<title>cat, fold 2: 3</title>",
                            "<title>dog, fold 1: 3</title>", "<title>dog, fold 2: 3</title>"}) {
    CHECK(contains(svg, piece));
  }
  CHECK(contains(svg, ">6</text>"));
}

TEST_CASE("a target is a config or a data set's name, and what is neither is told with a guess") {
  const std::vector<std::filesystem::path> plugins = {AMAE_BUILD_DIR "/plugins"};
  const DataTarget named =
      open_data_target("synthetic_sounds", {"clips_per_class=5"}, plugins, BadFiles::as_configured);
  CHECK(named.dataset->size() == 50);
  CHECK_FALSE(named.plan.has_value());
  CHECK(named.label_of(0) == named.dataset->classes()[0]);

  const Configs configs;
  const std::string config = configs.write("a.yaml", kSmall);
  const DataTarget planned = open_data_target(config, {"data.clips_per_class=6"}, plugins, BadFiles::as_configured);
  CHECK(planned.dataset->size() == 60);
  CHECK(planned.plan->config.transforms.size() == 3);

  const auto refused = [&](const std::string& target, const std::vector<std::string>& words) {
    return text_of(problems_of([&] { open_data_target(target, words, plugins, BadFiles::as_configured); }));
  };
  CHECK(contains(refused("synthetic_sound", {}), "did you mean synthetic_sounds?"));
  CHECK(contains(refused("/nowhere/a.yaml", {}), "/nowhere/a.yaml"));
  CHECK(contains(refused("synthetic_sounds", {"clips=5"}), "<argument 1>: data.clips: got unknown key"));
  CHECK(contains(refused("synthetic_sounds", {"clips"}), "expected KEY=VALUE"));
  CHECK(contains(refused("esc50", {}), "root"));
}

TEST_CASE("file names made of ids are plain, and never empty, hidden or long") {
  CHECK(file_name_part("1-100-A.wav") == "1-100-A");
  CHECK(file_name_part("a/b c#t=1.5,2") == "a_b_c_t_1.5_2");
  CHECK(file_name_part("../../etc/passwd") == "_.._.._etc_passwd");
  CHECK(file_name_part("") == "_");
  CHECK(file_name_part("-rf") == "_-rf");
  CHECK(file_name_part(std::string(500, 'x')).size() == 60);
}
