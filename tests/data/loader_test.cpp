#include "data/loader.h"

#include <algorithm>
#include <atomic>
#include <numeric>

#include "tests/data/support.h"

namespace amae {
namespace {

using Rows = std::vector<int64_t>;

Rows first_rows(int64_t count) {
  Rows rows(static_cast<size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

/// Batches of one epoch as training makes them: shuffled rows, the rest of the pipeline, targets.
class Epoch {
 public:
  Epoch() {
    const auto pipeline = std::make_shared<const Pipeline>(pipeline_of("[add, jitter]"));
    cache_ = std::make_shared<FeatureCache>(std::make_shared<Ramps>(50), pipeline,
                                            CacheOptions{.mode = "ram", .ram_limit = 0, .folder = ""}, 1,
                                            FeatureCache::Progress{});
    batches_ = batches_of(epoch_order(first_rows(50), 1, 2), 4);
    prepare = [this, pipeline](size_t number) {
      Batch batch = cache_->rows(batches_[number]);
      batch.y = targets_of(cache_->dataset(), batches_[number]);
      pipeline->run_train(batch, {.seed = 1, .epoch = 2});
      return batch;
    };
  }
  [[nodiscard]] std::vector<Batch> all(size_t first, int workers) const {
    Loader loader(first, batches_.size(), workers, prepare);
    std::vector<Batch> result;
    while (auto batch = loader.next()) result.push_back(std::move(*batch));
    CHECK_FALSE(loader.next().has_value());  // the end stays the end
    return result;
  }
  Loader::Prepare prepare;

 private:
  std::shared_ptr<FeatureCache> cache_;
  std::vector<Rows> batches_;
};

void check_equal(const std::vector<Batch>& a, const std::vector<Batch>& b, size_t skipped = 0) {
  REQUIRE(a.size() == b.size() + skipped);
  for (size_t i = 0; i < b.size(); ++i) {
    INFO("batch " << i + skipped);
    CHECK(a[i + skipped].ids == b[i].ids);
    CHECK(a[i + skipped].x.equal(b[i].x));
    CHECK(a[i + skipped].y.equal(b[i].y));
  }
}

Batch numbered(size_t number) {
  return {at::full({1}, static_cast<double>(number)), {}, {static_cast<int64_t>(number)}, 0};
}

TEST_CASE("the order of an epoch is a permutation that depends on seed and epoch and on nothing else") {
  const Rows rows = {7, 3, 9, 100, 5, 12, 4, 8};
  const Rows order = epoch_order(rows, 1, 2);
  CHECK(order == epoch_order(rows, 1, 2));
  CHECK(order != rows);
  CHECK(order != epoch_order(rows, 2, 2));
  CHECK(order != epoch_order(rows, 1, 3));
  CHECK(std::is_permutation(order.begin(), order.end(), rows.begin(), rows.end()));
  CHECK(epoch_order({}, 1, 2).empty());
}

TEST_CASE("batches hold all rows in order, and a last row alone joins the batch before it") {
  CHECK(batches_of(first_rows(7), 3) == std::vector<Rows>{{0, 1, 2}, {3, 4, 5, 6}});
  CHECK(batches_of(first_rows(8), 3) == std::vector<Rows>{{0, 1, 2}, {3, 4, 5}, {6, 7}});
  CHECK(batches_of(first_rows(6), 3) == std::vector<Rows>{{0, 1, 2}, {3, 4, 5}});
  CHECK(batches_of(first_rows(1), 3) == std::vector<Rows>{{0}});
  CHECK(batches_of(first_rows(3), 1) == std::vector<Rows>{{0}, {1}, {2}});  // who asks for single rows gets them
  CHECK(batches_of({}, 3).empty());
}

TEST_CASE("targets are one-hot for classes, as given for several labels, and undefined without labels") {
  class Several final : public Dataset {
   public:
    at::Tensor table;
    [[nodiscard]] int64_t size() const override { return 3; }
    [[nodiscard]] std::string id(int64_t /*row*/) const override { return ""; }
    [[nodiscard]] Signal load(int64_t /*row*/) const override { return {}; }
    [[nodiscard]] Spec spec() const override { return {}; }
    [[nodiscard]] const std::vector<std::string>& classes() const override { return names; }
    [[nodiscard]] at::Tensor labels() const override { return table; }
    [[nodiscard]] std::string content_hash(int64_t /*row*/) const override { return ""; }
    std::vector<std::string> names = {"a", "b"};
  };
  CHECK(numbers(targets_of(Ramps(6), {4, 0})) == std::vector<float>{0, 1, 0, 1, 0, 0});
  Several data;
  CHECK_FALSE(targets_of(data, {0}).defined());
  data.table = at::tensor({1.0F, 1.0F, 0.0F, 0.0F, 0.0F, 1.0F}).view({3, 2});
  CHECK(numbers(targets_of(data, {2, 0})) == std::vector<float>{0, 1, 1, 1});
}

TEST_CASE_METHOD(Epoch, "one, two and four workers give identical batches in the same order") {
  const auto one = all(0, 1);
  CHECK(one.size() == 13);
  check_equal(one, all(0, 2));
  check_equal(one, all(0, 4));
  check_equal(one, all(0, 0));  // none means one
}

TEST_CASE_METHOD(Epoch, "starting at batch k gives what skipping k batches would") {
  const auto whole = all(0, 2);
  for (const size_t first : {1UL, 6UL, 12UL, 13UL}) check_equal(whole, all(first, 2), first);
}

TEST_CASE("what a worker throws arrives with its type, in its batch's turn, and again when asked again") {
  Loader loader(0, 20, 4, [](size_t number) {
    if (number >= 5) throw InputError("DATA-FILE", "batch" + std::to_string(number), "", "is broken");
    return numbered(number);
  });
  for (int64_t i = 0; i < 5; ++i) CHECK(loader.next().value().ids == Rows{i});
  for (int again = 0; again < 2; ++again) CHECK(refusal([&] { loader.next(); }).where == "batch5");
}

TEST_CASE("a loader may be left at any time") {
  for (const int taken : {0, 1, 7}) {
    std::atomic<int> prepared{0};
    {
      Loader loader(0, 100000, 3, [&](size_t number) { return ++prepared, numbered(number); });
      for (int i = 0; i < taken; ++i) loader.next();
    }
    CHECK(prepared <= taken + 4);  // one more than there are workers lies ready, never the whole epoch
  }
  const Loader failing(0, 10, 2, [](size_t) -> Batch { throw InputError("X", "", "", "is broken"); });
}

TEST_CASE("a loader without batches is at its end at once") {
  Loader loader(3, 3, 2, numbered);
  CHECK_FALSE(loader.next().has_value());
}

}  // namespace
}  // namespace amae
