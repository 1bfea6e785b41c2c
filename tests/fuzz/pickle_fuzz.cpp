// Pickles of any protocol with arrays, as RadioML's: any bytes are values or refused, and the same ones whether they
// are read from memory or from a file through a window.
#include "amae/error.h"
#include "io/pickle_array.h"
#include "target.h"

namespace {

void check_values(const amae::Pickle& pickle, size_t bytes) {
  amae::fuzz::require(pickle.size() <= bytes, "values never outnumber bytes");
  size_t texts = 0;
  for (size_t i = 0; i < pickle.size(); ++i) {
    const amae::Pickle::Value& value = pickle.at(static_cast<amae::Pickle::Ref>(i));
    for (const amae::Pickle::Ref ref : value.items) amae::fuzz::require(ref < pickle.size(), "values refer to values");
    if (value.kind == amae::Pickle::Kind::dict)
      amae::fuzz::require(value.items.size() % 2 == 0, "every key has a value");
    if (value.kind == amae::Pickle::Kind::text || value.kind == amae::Pickle::Kind::bytes) texts += value.text.size();
    if (value.kind != amae::Pickle::Kind::array) continue;
    try {
      const amae::PickledArray array = amae::pickled_array(pickle, static_cast<amae::Pickle::Ref>(i), "array");
      int64_t last = 0;
      for (size_t axis = 0; axis < array.shape.size(); ++axis) last += (array.shape[axis] - 1) * array.stride[axis];
      amae::fuzz::require(array.size * array.item_bytes == static_cast<int64_t>(array.bytes.size()),
                          "bytes are many enough");
      amae::fuzz::require(array.size == 0 || last + 1 == array.size, "strides reach the last number");
    } catch (const amae::Error&) {  // refused
    }
  }
  amae::fuzz::require(texts <= 4 * bytes, "texts are no longer than what they were written in");
}

}  // namespace

AMAE_FUZZ_TARGET(pickle)(const uint8_t* data, size_t size) {
  static amae::MemoryFile memory;
  const std::string_view bytes = amae::fuzz::text_of(data, size);
  const amae::PickleRules rules{"PICKLE", 0, "Python"};
  std::string first, second;
  size_t values = 0;
  try {
    const amae::Pickle pickle(std::string(bytes), "pickle", "", rules);
    check_values(pickle, size);
    values = pickle.size();
  } catch (const amae::Error& error) {
    first = error.problems().front().message;
  }
  memory.put(bytes);
  try {
    const amae::RegularFile file(memory.path(), "PICKLE");
    const amae::Pickle pickle(file, rules);
    amae::fuzz::require(pickle.size() == values, "a window shows what memory shows");
  } catch (const amae::Error& error) {
    second = error.problems().front().message;
  }
  amae::fuzz::require(first == second, "a window is refused as memory is");
  return 0;
}
