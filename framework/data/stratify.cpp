#include "data/stratify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "amae/draw.h"
#include "base/hash.h"

namespace amae {
namespace {

using Counts = std::vector<int64_t>;  // of classes or cells

/// `wanted` rows out of `sizes`: the whole part of size * ratio each, the rest to the largest remainders, the first in
/// `order` among equal ones; never more than `room` each, or `wanted` in all.
Counts largest_remainder(const Counts& sizes, const Counts& room, double ratio, int64_t wanted, const Counts& order) {
  Counts share(sizes.size());
  std::vector<std::pair<double, size_t>> remainders;
  int64_t given = 0;
  for (const int64_t place : order) {
    const auto i = static_cast<size_t>(place);
    const double exact = static_cast<double>(sizes[i]) * ratio;
    share[i] = std::min({room[i], static_cast<int64_t>(exact), wanted - given});
    given += share[i];
    remainders.emplace_back(exact - std::floor(exact), i);
  }
  std::stable_sort(remainders.begin(), remainders.end(), [](auto& a, auto& b) { return a.first > b.first; });
  for (int64_t before = -1; given < wanted && given != before;) {
    before = given;
    for (const auto& [remainder, i] : remainders) {
      if (given == wanted) break;
      if (share[i] < room[i]) ++share[i], ++given;
    }
  }
  return share;
}

Counts identity(size_t size) {
  Counts order(size);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

/// The cells within one more column.
Cells refined(const Cells& cells, const ColumnValues& column) {
  const auto none = static_cast<int32_t>(column.size());
  using Pair = std::pair<int32_t, int32_t>;  // cell, value
  const auto pair_of = [&](size_t row) {
    return Pair(cells.of_row[row], column.index[row] < 0 ? none : column.index[row]);
  };
  std::map<Pair, int32_t> number_of;
  for (size_t row = 0; row < cells.of_row.size(); ++row) number_of.emplace(pair_of(row), 0);
  Cells out;
  for (auto& [pair, number] : number_of) {
    number = static_cast<int32_t>(out.all.size());
    const Cells::Cell& outer = cells.all[static_cast<size_t>(pair.first)];
    const std::string value = pair.second == none ? "none" : "value " + column.texts[static_cast<size_t>(pair.second)];
    const std::string hash = xxh3_hex(fmt::format("{:016x} {}", outer.key, value));
    out.all.push_back({outer.label, std::stoull(hash.substr(0, 16), nullptr, 16)});
  }
  out.of_row.reserve(cells.of_row.size());
  for (size_t row = 0; row < cells.of_row.size(); ++row) out.of_row.push_back(number_of.at(pair_of(row)));
  return out;
}

}  // namespace

std::vector<int64_t> class_of_rows(const Dataset& dataset) {
  const auto labels = dataset.labels();
  if (!labels.defined() || labels.dim() != 1) return std::vector<int64_t>(static_cast<size_t>(dataset.size()), 0);
  const auto classes = labels.to(at::kLong).contiguous();
  return {classes.data_ptr<int64_t>(), classes.data_ptr<int64_t>() + classes.numel()};
}

Cells cells_of(const Dataset& dataset, const std::vector<ColumnValues>& columns) {
  const std::vector<int64_t> classes = class_of_rows(dataset);
  std::map<int64_t, int32_t> number_of;
  for (const int64_t label : classes) number_of.emplace(label, 0);
  Cells cells;
  for (auto& [label, number] : number_of) {
    number = static_cast<int32_t>(cells.all.size());
    cells.all.push_back({label, static_cast<uint64_t>(label)});
  }
  cells.of_row.reserve(classes.size());
  for (const int64_t label : classes) cells.of_row.push_back(number_of.at(label));
  for (const ColumnValues& column : columns) cells = refined(cells, column);
  return cells;
}

std::vector<std::vector<int64_t>> rows_by_cell(const Cells& cells, const std::vector<int64_t>& rows) {
  std::vector<std::vector<int64_t>> lists(cells.all.size());
  for (const int64_t row : rows) lists[static_cast<size_t>(cells.of_row[static_cast<size_t>(row)])].push_back(row);
  return lists;
}

std::vector<int64_t> sizes_of(const std::vector<std::vector<int64_t>>& lists) {
  std::vector<int64_t> sizes;
  for (const auto& list : lists) sizes.push_back(static_cast<int64_t>(list.size()));
  return sizes;
}

std::vector<int64_t> cell_shares(const Cells& cells, const std::vector<int64_t>& sizes,
                                 const std::vector<int64_t>& room, int64_t kept, double ratio, uint64_t seed,
                                 uint32_t stage) {
  // Cells of one class stand side by side: class c has those from begins[c] to before begins[c + 1].
  std::vector<size_t> begins;
  for (size_t i = 0; i < cells.all.size(); ++i) {
    if (i == 0 || cells.all[i].label != cells.all[i - 1].label) begins.push_back(i);
  }
  begins.push_back(cells.all.size());
  const auto part = [&](const Counts& of, size_t c) {
    return Counts(of.begin() + static_cast<std::ptrdiff_t>(begins[c]),
                  of.begin() + static_cast<std::ptrdiff_t>(begins[c + 1]));
  };
  Counts class_sizes, class_room;
  for (size_t c = 0; c + 1 < begins.size(); ++c) {
    const Counts own = part(sizes, c), free = part(room, c);
    class_sizes.push_back(std::accumulate(own.begin(), own.end(), int64_t{0}));
    class_room.push_back(std::max<int64_t>(0, std::accumulate(free.begin(), free.end(), -kept)));
  }
  const auto total = static_cast<double>(std::accumulate(class_sizes.begin(), class_sizes.end(), int64_t{0}));
  const Counts by_class =
      largest_remainder(class_sizes, class_room, ratio, std::llround(total * ratio), identity(class_sizes.size()));
  Counts by_cell;
  for (size_t c = 0; c < by_class.size(); ++c) {
    const Counts own = part(sizes, c);
    Draw draw(seed, 0, static_cast<uint64_t>(cells.all[begins[c]].label), stage);
    const Counts order = draw.permutation(static_cast<int64_t>(own.size()));
    const Counts share =
        own.size() == 1 ? Counts{by_class[c]} : largest_remainder(own, part(room, c), ratio, by_class[c], order);
    by_cell.insert(by_cell.end(), share.begin(), share.end());
  }
  return by_cell;
}

}  // namespace amae
