#include "plugin/origin.h"

#include <new>
#include <stdexcept>

#include "base/stop.h"
#include "tests/base/support.h"

namespace amae {
namespace {

const Origin kOrigin{"model", "net", "/plugins/net.so", "model"};

template <class Thrown>
void throwing(const Thrown& thrown) {
  guarded_call(kOrigin, "failed in forward", [&] { throw thrown; });
}

TEST_CASE("what a plugin throws that is none of our errors becomes one line that names it") {
  CHECK(refusal([] { throwing(std::runtime_error("a\x01 b\nlong story")); }).line() ==
        "error[PLUGIN]: /plugins/net.so: model: model 'net' failed in forward: a\\x01 b");
  CHECK(refusal([] { throwing(7); }).message == "model 'net' failed in forward: it threw what is no std::exception");
  CHECK(guarded_call(kOrigin, "failed", [] { return 7; }) == 7);
}

TEST_CASE("our own errors, a stop and want of memory go on as they are") {
  CHECK(refusal([] { throwing(InputError("CFG-VALUE", "", "width", "is odd")); }).field == "width");
  CHECK_THROWS_AS(throwing(EnvironmentError("DEVICE", "", "is full")), EnvironmentError);
  CHECK_THROWS_AS(throwing(Stopped()), Stopped);
  CHECK_THROWS_AS(throwing(std::bad_alloc()), std::bad_alloc);
  // LibTorch's own, of which main() makes an error of the machine.
  CHECK_THROWS_AS(throwing(std::runtime_error("CUDA out of memory. Tried to allocate 2 GiB")), std::runtime_error);
}

TEST_CASE("an origin that nobody told still makes a sentence") {
  CHECK(refusal([] { blame({.kind = "dataset"}, "gave nothing"); }).line() ==
        "error[PLUGIN]: the dataset gave nothing");
}

}  // namespace
}  // namespace amae
