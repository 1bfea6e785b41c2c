#include "task/data_check.h"

#include <cstdlib>
#include <set>

#include "data_testing.h"

using namespace amae;

namespace {

using Pairs = std::set<std::pair<std::string, std::string>>;

/// Code and item of every finding.
Pairs found_in(const CheckReport& report) {
  Pairs pairs;
  for (const Finding& finding : report.findings) pairs.emplace(finding.code, finding.item);
  return pairs;
}

const Finding& finding(const CheckReport& report, const std::string& code) {
  for (const Finding& one : report.findings) {
    if (one.code == code) return one;
  }
  FAIL("no finding " + code);
  return report.findings.front();
}

}  // namespace

TEST_CASE("a sound data set has no finding") {
  const PlantedFolder folder;
  const CheckReport report = check_data(folder.open(), {});
  CHECK(found_in(report) == Pairs{});
  CHECK(report.rows == 20);
  CHECK_FALSE(report.leaks());
  CHECK(report.leak_text().starts_with("none: "));
}

TEST_CASE("each of eight planted faults is found by name, and nothing else is") {
  PlantedFolder folder;
  folder.plant_eight_faults();
  const CheckReport report = check_data(folder.open(), {});
  CHECK(found_in(report) == Pairs{{"unreadable", "clip0.wav"},
                                  {"silent", "clip1.wav"},
                                  {"clipped", "clip2.wav"},
                                  {"not_finite", "clip3.wav"},
                                  {"rate", "clip4.wav"},
                                  {"duplicate", "copy_of_5.wav"},
                                  {"clip_in_two_folds", "copy_of_6.wav"},
                                  {"source_in_two_folds", "take_2_of_8.wav"}});
  CHECK(report.leaks());
  CHECK(contains(finding(report, "unreadable").message, "starts with \"this is \""));
  CHECK(finding(report, "rate").numbers.at("rate_hz") == 22'050);
  CHECK(finding(report, "rate").numbers.at("usual_hz") == 8000);
  CHECK(finding(report, "duplicate").numbers.at("same_as") == "clip5.wav");
  CHECK(finding(report, "clip_in_two_folds").numbers.at("folds") == nlohmann::json({1, 2}));
  CHECK(finding(report, "source_in_two_folds").numbers.at("same_source_as") == "clip8.wav");
  // Uniform noise within +-0.4, ten times louder: all but a quarter of it lies beyond full scale; 4000 samples.
  CHECK(std::abs(finding(report, "clipped").numbers.at("share").get<double>() - 0.75) < 0.03);

  const auto json = to_json(report);
  CHECK(json.at("found") == 8);
  CHECK(json.at("findings").size() == 8);
  CHECK(json.at("counts").at("clipped") == 1);
  CHECK(json.at("counts").at("class_balance") == 0);
  CHECK(json.at("leaks") == true);
}

TEST_CASE("a source in two folds with clips of different classes is told, but is no leak") {
  auto toy = clean_toy();
  toy->add(0, 1, 7);  // a cat of source 7 in fold 1
  toy->add(1, 2, 7);  // a dog of the same source in fold 2
  CheckReport report = check_data(target_of(toy), {});
  CHECK(found_in(report) == Pairs{});
  CHECK(report.sources_elsewhere == 1);
  CHECK(contains(report.leak_text(), "1 source in two folds with different classes"));

  toy->add(0, 2, 7);  // and a cat too
  report = check_data(target_of(toy), {});
  CHECK(found_in(report) == Pairs{{"source_in_two_folds", "row14"}});
  CHECK(finding(report, "source_in_two_folds").numbers.at("class") == "cat");
  CHECK(report.sources_elsewhere == 0);
}

TEST_CASE("short clips, far smaller classes and classes without a row in a fold are found") {
  auto toy = clean_toy(10);
  toy->names.emplace_back("rare");
  toy->add(2, 1);
  toy->signals[4].samples = at::full({1, 700}, 0.1);  // 0.0875 s
  toy->signals[5].samples = at::full({1, 800}, 0.1);  // 0.1 s, just long enough
  toy->signals[6].samples = at::zeros({1, 0});
  const CheckReport report = check_data(target_of(toy), {});
  CHECK(found_in(report) ==
        Pairs{{"short", "row4"}, {"short", "row6"}, {"class_balance", "rare"}, {"class_missing", "rare"}});
  CHECK(finding(report, "class_missing").numbers.at("fold") == 2);
  CHECK(finding(report, "class_balance").numbers.at("largest") == 20);
}

TEST_CASE("the limits are the caller's") {
  auto toy = clean_toy();
  toy->signals[0].samples = at::full({1, 4000}, 1e-3);  // -60 dB
  CHECK(found_in(check_data(target_of(toy), {})) == Pairs{});
  CHECK(found_in(check_data(target_of(toy), {.silence_db = -59})) == Pairs{{"silent", "row0"}});
  CHECK(check_data(target_of(toy), {.shortest_s = 0.6}).counts.at("short") == 12);
  toy->signals[1].samples.narrow(1, 0, 10).fill_(1);  // 10 of 4000 samples
  CHECK(found_in(check_data(target_of(toy), {})) == Pairs{{"clipped", "row1"}});
  CHECK(found_in(check_data(target_of(toy), {.clipped_share = 0.01})) == Pairs{});
}

TEST_CASE("IQ has no full scale: quiet frames are fine, frames of zeros are not") {
  auto toy = clean_toy();
  for (Signal& signal : toy->signals) signal = {at::full({2, 128}, 1e-6), 0, Domain::iq};
  toy->signals[3].samples = at::zeros({2, 128});
  toy->signals[4].samples = at::full({2, 128}, 5.0);
  CHECK(found_in(check_data(target_of(toy), {})) == Pairs{{"silent", "row3"}});
}

TEST_CASE("frames of IQ are not short for lasting microseconds, but without a sample they are") {
  const auto toy = iq_toy();
  CHECK(found_in(check_data(target_of(toy), {})) == Pairs{});
  toy->signals[4].samples = at::zeros({2, 0});
  CHECK(found_in(check_data(target_of(toy), {})) == Pairs{{"short", "row4"}});
}

TEST_CASE("the same content under two labels says so, and without folds it is a duplicate") {
  auto toy = clean_toy();
  toy->fold_column.clear();
  toy->contents[1] = toy->contents[0];
  toy->contents[4] = toy->contents[0];
  const CheckReport report = check_data(target_of(toy), {});
  CHECK(found_in(report) == Pairs{{"duplicate", "row1"}, {"duplicate", "row4"}});
  CHECK(contains(report.findings[0].message, "labelled cat there and dog here"));
  CHECK_FALSE(contains(report.findings[1].message, "labelled"));
  CHECK(contains(report.leak_text(), "no folds"));
}

TEST_CASE("rows with several labels, and rows without any, are checked too") {
  auto toy = clean_toy();
  toy->label_column = at::zeros({12, 2});
  toy->label_column.select(1, 0).fill_(1);
  toy->label_column[3].fill_(1);
  toy->group_column[0] = toy->group_column[2] = 5;  // folds 1 and 2, both cats
  CHECK(found_in(check_data(target_of(toy), {})) ==
        Pairs{{"source_in_two_folds", "row2"}, {"class_balance", "dog"}, {"class_missing", "dog"}});

  toy->label_column = at::Tensor();
  CHECK(found_in(check_data(target_of(toy), {})) == Pairs{{"source_in_two_folds", "row2"}});
}

TEST_CASE("of more findings than are listed, all are counted") {
  auto toy = std::make_shared<Toy>();
  toy->add(0);
  const int64_t rows = static_cast<int64_t>(CheckReport::kListed) + 500;
  toy->signals.assign(static_cast<size_t>(rows), {at::zeros({1, 2}), 0, Domain::audio});
  toy->contents.clear();
  for (int64_t row = 0; row < rows; ++row) toy->contents.push_back(std::to_string(row));
  toy->label_column = at::zeros({rows}, at::kLong);
  toy->fold_column.clear();
  toy->group_column.clear();
  const CheckReport report = check_data(target_of(toy), {});
  CHECK(report.counts.at("silent") == rows);
  CHECK(report.findings.size() == CheckReport::kListed + 1);  // and the class that has no row
}

TEST_CASE("ESC-10 has no leak between its folds") {
  const char* const root = std::getenv("AMAE_ESC10");
  if (root == nullptr) SKIP("AMAE_ESC10 names no folder");
  const DataTarget target = open_data_target("esc50", {std::string("root=") + root, "subset=esc10"},
                                             {AMAE_BUILD_DIR "/plugins"}, BadFiles::tolerate);
  const CheckReport report = check_data(target, {});
  CHECK(report.rows == 400);
  CHECK_FALSE(report.leaks());
  CHECK(report.counts.at("unreadable") == 0);
  CHECK(report.counts.at("duplicate") == 0);
  CHECK(report.counts.at("class_balance") == 0);
  CHECK(report.has_groups);
}
