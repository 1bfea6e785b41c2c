#include "train/trained_on.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "amae/error.h"
#include "base/hash.h"
#include "data/bad_rows.h"
#include "io/safetensors.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

constexpr const char* kTrainedOn = "trained_on.safetensors";

int64_t mark_of_row(const Dataset& dataset, int64_t row) {
  const std::string hex = sha256_hex(row_hash(dataset, row));
  uint64_t mark = 0;
  std::from_chars(hex.data(), hex.data() + 16, mark, 16);
  return static_cast<int64_t>(mark);
}

}  // namespace

RowMarks marks_of(const Dataset& dataset, const std::vector<int64_t>& rows) {
  RowMarks marks;
  marks.reserve(rows.size());
  for (const int64_t row : rows) marks.push_back(mark_of_row(dataset, row));
  std::sort(marks.begin(), marks.end());
  marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
  return marks;
}

void write_trained_on(const fs::path& folder, const RowMarks& marks) {
  write_safetensors(folder / kTrainedOn, {{"rows", at::tensor(marks, at::kLong)}});
}

RowMarks read_trained_on(const fs::path& folder) {
  const fs::path file = folder / kTrainedOn;
  if (!fs::exists(file)) return {};
  const TensorDict tensors = read_safetensors(file);
  const auto rows = tensors.find("rows");
  if (rows == tensors.end() || rows->second.scalar_type() != at::kLong || rows->second.dim() != 1)
    throw InputError("CKPT", file.string(), "rows", "got no list of int64 numbers");
  const at::Tensor sorted = std::get<0>(rows->second.sort()).contiguous();
  return {sorted.data_ptr<int64_t>(), sorted.data_ptr<int64_t>() + sorted.numel()};
}

RowMarks united(const RowMarks& a, const RowMarks& b) {
  RowMarks all;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
  return all;
}

int64_t count_marked(const Dataset& dataset, const std::vector<int64_t>& rows, const RowMarks& marks) {
  return std::count_if(rows.begin(), rows.end(), [&](int64_t row) {
    return std::binary_search(marks.begin(), marks.end(), mark_of_row(dataset, row));
  });
}

}  // namespace amae
