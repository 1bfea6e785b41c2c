#include "index/audit.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <set>
#include <stdexcept>

#include "amae/error.h"
#include "base/stop.h"
#include "rows.h"

using namespace amae;
using namespace amae::index_test;
using Catch::Matchers::WithinAbs;

namespace {

double cosine_of(double degrees) { return std::cos(degrees * std::numbers::pi / 180); }

// Two classes far apart: rows 0 to 5 of class 0, rows 6 to 9 of class 1; no two within 2.6 degrees (cosine 0.999).
AuditInput two_clusters() {
  return {.vectors = directions({0, 3, 7, 12, 18, 25, 180, 184, 189, 195}),
          .labels = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1},
          .folds = {1, 2, 1, 2, 1, 2, 1, 2, 1, 2},
          .contents = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}};
}

struct StopRequested {
  StopRequested() { request_stop(15); }
  ~StopRequested() { request_stop(0); }
  StopRequested(const StopRequested&) = delete;
  StopRequested& operator=(const StopRequested&) = delete;
};

}  // namespace

TEST_CASE("clean data in separate clusters has nothing to report") {
  const Audit audit = audit_rows(two_clusters(), {.k = 3});
  CHECK(audit.identical_content.empty());
  CHECK(audit.near_duplicates.empty());
  CHECK(audit.label_doubts.empty());
}

TEST_CASE("rows of identical content are told with the first of their kind, leaks between folds first") {
  AuditInput input{.vectors = directions({0, 40, 60, 80, 120, 160}),
                   .labels = {0, 0, 1, 0, 0, 0},
                   .folds = {1, 1, 1, 2, 1, 1},
                   .contents = {"a", "b", "a", "a", "", ""}};
  const Audit audit = audit_rows(input, {.doubt_margin = 2});
  REQUIRE(audit.identical_content.size() == 2);  // empty contents are unknown, not equal
  const AuditPair &leak = audit.identical_content[0], &contradiction = audit.identical_content[1];
  CHECK(leak.first == 0);
  CHECK(leak.second == 3);
  CHECK(leak.in_two_folds);
  CHECK_FALSE(leak.labels_differ);
  CHECK_THAT(leak.similarity, WithinAbs(cosine_of(80), kAngleError));
  CHECK(contradiction.second == 2);
  CHECK_FALSE(contradiction.in_two_folds);
  CHECK(contradiction.labels_differ);
  CHECK_THAT(contradiction.similarity, WithinAbs(cosine_of(60), kAngleError));
  input.folds[3] = -1;  // no fold
  CHECK_FALSE(audit_rows(input, {}).identical_content[1].in_two_folds);
}

TEST_CASE("near duplicates are found across folds, once each, whatever their loudness") {
  at::manual_seed(21);
  const int64_t rows = 300;
  AuditInput input{.vectors = at::randn({rows, 16}), .folds = std::vector<int64_t>(300, 1)};
  const auto plant = [&](int64_t from, int64_t to) {
    input.vectors[to].copy_(input.vectors[from] * 3 + at::randn({16}) * 0.01);
  };
  plant(20, 250);
  plant(31, 7);
  input.folds[250] = 2;
  const Audit audit = audit_rows(input, {});
  REQUIRE(audit.near_duplicates.size() == 2);
  CHECK(audit.near_duplicates[0].first == 20);
  CHECK(audit.near_duplicates[0].second == 250);
  CHECK(audit.near_duplicates[0].in_two_folds);
  CHECK(audit.near_duplicates[0].similarity > 0.999);
  CHECK(audit.near_duplicates[0].similarity < 1);
  CHECK(audit.near_duplicates[1].first == 7);
  CHECK(audit.near_duplicates[1].second == 31);
  CHECK_FALSE(audit.near_duplicates[1].in_two_folds);
  CHECK_FALSE(audit.near_duplicates[1].labels_differ);
  CHECK(audit.identical_content.empty());
  CHECK(audit.label_doubts.empty());  // there are no labels

  SECTION("only the worst are kept") {
    const Audit one = audit_rows(input, {.most = 1});
    REQUIRE(one.near_duplicates.size() == 1);
    CHECK(one.near_duplicates[0].second == 250);
  }
  SECTION("identical content is told there and not again") {
    for (int64_t i = 0; i < rows; ++i) input.contents.push_back(std::to_string(i == 250 ? 20 : i));
    const Audit known = audit_rows(input, {});
    REQUIRE(known.identical_content.size() == 1);
    CHECK(known.identical_content[0].in_two_folds);
    REQUIRE(known.near_duplicates.size() == 1);
    CHECK(known.near_duplicates[0].first == 7);
  }
  SECTION("a lower limit finds more") {
    CHECK(audit_rows(input, {.duplicate_similarity = 0.6}).near_duplicates.size() > 2);
    CHECK(audit_rows(input, {.duplicate_similarity = 1.01}).near_duplicates.empty());
  }
}

TEST_CASE("in a crowd of equal rows no row is its own neighbour and every row is told") {
  const Audit audit = audit_rows({.vectors = at::full({50, 3}, 0.7)}, {.k = 3});
  // Ties go to the lower row: rows 0 to 3 pair among themselves (6 pairs), every later one with rows 0, 1 and 2.
  CHECK(audit.near_duplicates.size() == 6 + 46 * 3);
  std::set<int64_t> told;
  for (const AuditPair& pair : audit.near_duplicates) {
    CHECK(pair.first < pair.second);
    told.insert({pair.first, pair.second});
  }
  CHECK(told.size() == 50);
}

TEST_CASE("a wrong label among right ones is doubted, and its neighbours are not") {
  AuditInput input = two_clusters();
  input.labels[2] = 1;  // at 7 degrees: its nearest are rows 1, 3 and 0, all of class 0
  const Audit audit = audit_rows(input, {.k = 3});
  REQUIRE(audit.label_doubts.size() == 1);
  const LabelDoubt& doubt = audit.label_doubts[0];
  CHECK(doubt.row == 2);
  CHECK(doubt.suggested == 0);
  CHECK_THAT(doubt.share, WithinAbs(1, kAngleError));
  CHECK(doubt.own_share == 0);
  CHECK(doubt.nearest == 1);
  CHECK_THAT(doubt.similarity, WithinAbs(cosine_of(4), kAngleError));
}

TEST_CASE("the vote is weighted by similarity and doubted from the margin on") {
  // Row 0 among classes 1, 1 and 0 at 10, 20 and 30 degrees, and 2 on the other side, which has no weight.
  const AuditInput input{.vectors = directions({0, 10, -20, 30, 170}), .labels = {0, 1, 1, 0, 2}};
  const double all = cosine_of(10) + cosine_of(20) + cosine_of(30);
  const double share = (cosine_of(10) + cosine_of(20)) / all, own = cosine_of(30) / all;  // differ by 0.379
  const auto doubts_of_first = [&](double margin) {
    std::vector<LabelDoubt> found = audit_rows(input, {.k = 4, .doubt_margin = margin}).label_doubts;
    std::erase_if(found, [](const LabelDoubt& doubt) { return doubt.row != 0; });
    return found;
  };
  REQUIRE(doubts_of_first(0.37).size() == 1);
  CHECK_THAT(doubts_of_first(0.37)[0].share, WithinAbs(share, kAngleError));
  CHECK_THAT(doubts_of_first(0.37)[0].own_share, WithinAbs(own, kAngleError));
  CHECK(doubts_of_first(0.37)[0].suggested == 1);
  CHECK(doubts_of_first(0.39).empty());
}

TEST_CASE("doubts come worst first, and only the worst are kept") {
  AuditInput input = two_clusters();
  input.labels[2] = 1;  // all three nearest object
  input.labels[4] = 2;  // as do its own: rows 3 and 5, and row 2, whose label is now wrong
  const Audit audit = audit_rows(input, {.k = 3});
  REQUIRE(audit.label_doubts.size() == 2);
  CHECK(audit.label_doubts[0].row == 2);
  CHECK(audit.label_doubts[1].row == 4);
  CHECK(audit.label_doubts[0].share > audit.label_doubts[1].share);
  const Audit one = audit_rows(input, {.k = 3, .most = 1});
  REQUIRE(one.label_doubts.size() == 1);
  CHECK(one.label_doubts[0].row == 2);
}

TEST_CASE("a copy with the same wrong label is no second opinion") {
  AuditInput input{.vectors = directions({0, 4, 9, 9.5, 14, 20}), .labels = {0, 0, 1, 1, 0, 0}};
  const auto own_share = [&] {
    for (const LabelDoubt& doubt : audit_rows(input, {.k = 3}).label_doubts) {
      if (doubt.row == 2) return doubt.own_share;
    }
    return -1.0;
  };
  CHECK(own_share() > 0.3);  // row 3 votes for it
  input.contents = {"a", "b", "copied", "copied", "e", "f"};
  CHECK(own_share() == 0);
}

TEST_CASE("rows without a label are not doubted and have no vote") {
  AuditInput input = two_clusters();
  input.labels = {0, -1, 1, -1, -1, 0, 1, 1, 1, 1};
  const Audit audit = audit_rows(input, {.k = 3});
  // Rows 0 and 2 hear only each other, 7 degrees apart; row 5 hears only row 2, its third nearest, 18 degrees away.
  REQUIRE(audit.label_doubts.size() == 3);
  CHECK(audit.label_doubts[0].row == 0);
  CHECK(audit.label_doubts[0].nearest == 2);
  CHECK(audit.label_doubts[1].row == 2);
  CHECK(audit.label_doubts[1].nearest == 0);
  CHECK(audit.label_doubts[2].row == 5);
  CHECK_THAT(audit.label_doubts[2].similarity, WithinAbs(cosine_of(18), kAngleError));
  input.labels.assign(10, -1);
  CHECK(audit_rows(input, {}).label_doubts.empty());
}

TEST_CASE("rows of one item are no duplicates of each other and have no vote about each other") {
  // Two files of three chunks each that sound alike, and a copy of the first one's last chunk in the other.
  AuditInput input{.vectors = directions({0, 0.1, 0.2, 90, 90.1, 0.2}), .labels = {0, 0, 0, 1, 1, 1}};
  CHECK(audit_rows(input, {.k = 2}).near_duplicates.size() > 3);
  input.items = {4, 4, 4, 5, 5, 5};
  const Audit audit = audit_rows(input, {.k = 2});
  REQUIRE(audit.near_duplicates.size() == 3);  // row 5 with each of the first file
  for (const AuditPair& pair : audit.near_duplicates) CHECK(pair.second == 5);
  CHECK(audit.near_count.all == 3);
  for (const LabelDoubt& doubt : audit.label_doubts) CHECK(doubt.own_share == 0);  // only the other file votes
  CHECK(audit.doubt_count == std::ssize(audit.label_doubts));
  input.contents = {"a", "a", "a", "b", "b", "b"};  // as chunks of one file have
  CHECK(audit_rows(input, {.k = 2}).identical_content.empty());
}

TEST_CASE("of very many pairs the worst are kept and all are counted") {
  at::manual_seed(23);
  AuditInput input{.vectors = at::randn({300, 4})};
  for (int64_t i = 0; i < 300; ++i) input.folds.push_back(i % 3);
  AuditOptions options{.k = 60, .duplicate_similarity = -1, .most = 100'000};
  const Audit all = audit_rows(input, options);
  REQUIRE(all.near_duplicates.size() >= 9'000);  // more than are held at a time for the 25 below
  CHECK(all.near_count.all == std::ssize(all.near_duplicates));
  options.most = 25;
  const Audit some = audit_rows(input, options);
  REQUIRE(some.near_duplicates.size() == 25);
  for (size_t i = 0; i < 25; ++i) {
    CHECK(some.near_duplicates[i].first == all.near_duplicates[i].first);
    CHECK(some.near_duplicates[i].second == all.near_duplicates[i].second);
  }
  // A last bit that differs between both sides of a pair may count it twice or not at all.
  CHECK(std::abs(some.near_count.all - all.near_count.all) <= 5);
  CHECK(std::abs(some.near_count.in_two_folds - all.near_count.in_two_folds) <= 5);
}

TEST_CASE("more neighbours than rows are all of them, and of nothing there is nothing") {
  const AuditInput two{.vectors = directions({0, 1}), .labels = {0, 1}};
  CHECK(audit_rows(two, {.k = 1000}).near_duplicates.size() == 1);
  CHECK(audit_rows(two, {.k = 1000}).near_duplicates[0].labels_differ);
  CHECK(audit_rows({.vectors = directions({0})}, {}).near_duplicates.empty());
  CHECK(audit_rows({.vectors = at::empty({0, 4})}, {}).label_doubts.empty());
}

TEST_CASE("progress counts every row and a stop is heard") {
  std::vector<int64_t> heard;
  audit_rows(two_clusters(), {}, [&](int64_t done, int64_t total) {
    CHECK(total == 10);
    heard.push_back(done);
  });
  CHECK(heard == std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  const StopRequested stop;
  CHECK_THROWS_AS(audit_rows(two_clusters(), {}), Stopped);
}

TEST_CASE("what cannot be audited is refused") {
  const at::Tensor vectors = directions({0, 10});
  const auto refused = [](const AuditInput& input, const AuditOptions& options = {}) {
    CHECK_THROWS_AS(audit_rows(input, options), std::invalid_argument);
  };
  refused({});
  refused({.vectors = vectors, .labels = {0}});
  refused({.vectors = vectors, .folds = {0, 1, 2}});
  refused({.vectors = vectors, .contents = {"a"}});
  refused({.vectors = vectors, .items = {1}});
  refused({.vectors = vectors}, {.k = 0});
  refused({.vectors = vectors}, {.doubt_margin = 0});
  refused({.vectors = vectors}, {.most = -1});
  at::Tensor diverged = vectors.clone();
  diverged[0][1] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(audit_rows({.vectors = diverged}, {}), DivergenceError);
}
