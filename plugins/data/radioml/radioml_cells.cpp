#include "radioml_cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "../common/problem_list.h"
#include "base/text.h"

namespace amae {
namespace {

constexpr const char* kRadioMlCode = "RADIOML";
constexpr size_t kMostNameBytes = 100;
constexpr double kMostDecibels = 1000;
constexpr size_t kMostMissing = 1000;  // pairs, to be told one by one

void refuse_other_formats(const RegularFile& file) {
  std::array<char, 262> start{};
  const std::string_view bytes(start.data(), file.read_some(0, start.data(), start.size()));
  const auto refuse = [&](const char* got, const char* hint) {
    file.refuse(fmt::format("got {}, expected the pickle of a dict{}", got, hint));
  };
  if (bytes.starts_with("\x89HDF\r\n\x1a\n")) refuse("an HDF5 file", "; RML2018.01A is the data set radioml_hdf5");
  if (bytes.starts_with("BZh") || bytes.starts_with("\x1f\x8b") || bytes.starts_with("PK\x03\x04"))
    refuse("a compressed file", "; unpack it first");
  if (bytes.size() == start.size() && bytes.substr(257, 5) == "ustar") refuse("a tar archive", "; unpack it first");
  // A dict begins so in protocols 2 to 5, 1 and 0.
  if (bytes.empty() || std::string_view("\x80}(").find(bytes[0]) == std::string_view::npos)
    refuse(bytes.empty() ? "an empty file" : "something else", "");
}

/// What reads one key after another.
class CellReader {
 public:
  CellReader(const RegularFile& file, bool is_complete)
      : file_(file),
        is_complete_(is_complete),
        where_(file.where()),
        pickle_(std::make_unique<Pickle>(file, PickleRules{kRadioMlCode, 0, "Python", "arrays", true})) {}

  RadioMlCells read() {
    const Pickle::Value& root = pickle_->root();
    const bool is_dict = root.kind == Pickle::Kind::dict;
    if (!is_dict || root.items.empty())
      pickle_->refuse(fmt::format("got {}, expected a dict of (modulation, SNR) to arrays",
                                  is_dict ? "an empty dict" : kind_text(root.kind)));
    for (size_t i = 0; i + 1 < root.items.size(); i += 2) add(root.items[i], root.items[i + 1]);
    problems_.throw_if_any(where_);
    check_shapes();
    check_sharing();
    problems_.throw_if_any(where_);
    if (is_complete_) check_complete();
    problems_.throw_if_any(where_);
    return finish();
  }

 private:
  using Key = std::pair<std::string, double>;

  void add(Pickle::Ref key_ref, Pickle::Ref array) {
    const std::optional<Key> key = key_of(pickle_->at(key_ref));
    if (!key) return;
    const std::string field = cell_text(key->first, key->second);
    try {
      PickledArray frames = pickled_array(*pickle_, array, field);
      if (frames.dtype.substr(1) != "f2" && frames.dtype.substr(1) != "f4" && frames.dtype.substr(1) != "f8") {
        pickle_->refuse(
            field, fmt::format("got an array of unsupported dtype {}, expected floats: f2, f4 or f8", frames.dtype));
      }
      if (!cells_.emplace(*key, std::move(frames)).second) pickle_->refuse(field, "got this key twice, expected once");
    } catch (const InputError& error) {
      for (const Problem& problem : error.problems()) problems_.add(problem);
    }
  }

  std::optional<Key> key_of(const Pickle::Value& key) {
    const auto refuse = [&](const std::string& got) {
      problems_.add({kRadioMlCode, where_, "", fmt::format("got {} as a key, expected (modulation, SNR)", got)});
      return std::nullopt;
    };
    if (key.kind != Pickle::Kind::tuple) return refuse(kind_text(key.kind));
    if (key.items.size() != 2) return refuse(fmt::format("a tuple of {}", key.items.size()));
    const Pickle::Value &name = pickle_->at(key.items[0]), &snr = pickle_->at(key.items[1]);
    if (name.kind != Pickle::Kind::text && name.kind != Pickle::Kind::bytes)
      return refuse(fmt::format("({}, …)", kind_text(name.kind)));
    const std::string shown = printable(name.text.substr(0, kMostNameBytes));
    if (name.text.empty() || name.text.size() > kMostNameBytes || shown != name.text)
      return refuse(fmt::format("the modulation '{}' of {} bytes", shown, name.text.size()));
    if (snr.kind != Pickle::Kind::integer && snr.kind != Pickle::Kind::real)
      return refuse(fmt::format("({}, {})", shown, kind_text(snr.kind)));
    const double snr_db = snr.kind == Pickle::Kind::real ? snr.real : static_cast<double>(snr.integer);
    if (!(std::abs(snr_db) <= kMostDecibels)) return refuse(fmt::format("({}, {})", shown, number_text(snr_db)));
    return Key{shown, snr_db};
  }

  /// The form that most arrays have is right.
  void check_shapes() {
    std::map<std::vector<int64_t>, int> forms;  // all sizes but the first
    for (const auto& [key, frames] : cells_) {
      if (!frames.shape.empty()) ++forms[{frames.shape.begin() + 1, frames.shape.end()}];
    }
    int most = 0;
    std::vector<int64_t> usual;
    for (const auto& [form, count] : forms) {
      const bool is_frames = form.size() == 2 && form[0] == 2 && form[1] > 0;
      if (is_frames && count > most) usual = form, most = count;
    }
    samples_ = most > 0 ? usual[1] : 0;
    const std::string expected = most > 0 ? fmt::format("[N, 2, {}] as most have", samples_) : "[N, 2, L]";
    for (const auto& [key, frames] : cells_) {
      const bool fits = most > 0 && frames.shape.size() == 3 && frames.shape[0] > 0 && frames.shape[1] == 2 &&
                        frames.shape[2] == samples_;
      if (!fits) tell(key, fmt::format("got shape {}, expected {}", frames.shape_text(), expected));
    }
  }

  /// One array under many keys would give more rows than the file has bytes.
  void check_sharing() {
    uint64_t total = 0;
    for (const auto& [key, frames] : cells_) total += frames.bytes.size();  // at most 2^20 arrays within one file
    if (total > file_.size()) {
      problems_.add({kRadioMlCode, where_, "",
                     fmt::format("got arrays of {} bytes in a file of {}, expected one array for each key", total,
                                 file_.size())});
    }
  }

  void check_complete() {
    std::set<std::string> modulations;
    std::set<double> levels;
    std::map<int64_t, int> counts;
    for (const auto& [key, frames] : cells_) {
      modulations.insert(key.first);
      levels.insert(key.second);
      ++counts[frames.shape.empty() ? 0 : frames.shape[0]];
    }
    const auto usual = std::max_element(counts.begin(), counts.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
    constexpr const char* kAnyway = "complete: false takes the file as it is";
    if (modulations.size() * levels.size() > kMostMissing + cells_.size()) {
      problems_.add({kRadioMlCode, where_, "",
                     fmt::format("got {} of {} x {} pairs of modulation and SNR, expected each; {}", cells_.size(),
                                 modulations.size(), levels.size(), kAnyway)});
      return;
    }
    for (const std::string& modulation : modulations) {
      for (const double snr_db : levels) {
        const auto found = cells_.find({modulation, snr_db});
        if (found == cells_.end()) {
          tell({modulation, snr_db}, fmt::format("is missing, expected each of {} modulations at each of {} SNRs; {}",
                                                 modulations.size(), levels.size(), kAnyway));
        } else if (const std::vector<int64_t>& shape = found->second.shape;
                   !shape.empty() && shape[0] != usual->first) {
          tell(found->first,
               fmt::format("got {} frames, expected {} as most have; {}", shape[0], usual->first, kAnyway));
        }
      }
    }
  }

  void tell(const Key& key, const std::string& message) {
    problems_.add({kRadioMlCode, where_, cell_text(key.first, key.second), message});
  }

  RadioMlCells finish() {
    RadioMlCells result;
    for (auto& [key, frames] : cells_) {
      if (result.modulations.empty() || result.modulations.back() != key.first) result.modulations.push_back(key.first);
      result.cells.push_back({result.modulations.size() - 1, key.second, std::move(frames)});
    }
    result.samples = samples_;
    result.pickle = std::move(pickle_);
    file_.check_unchanged();
    return result;
  }

  const RegularFile& file_;
  bool is_complete_;
  std::string where_;
  std::unique_ptr<const Pickle> pickle_;
  std::map<Key, PickledArray> cells_;  // in the order of rows
  int64_t samples_ = 0;
  ProblemList problems_;
};

}  // namespace

std::string cell_text(const std::string& modulation, double snr_db) {
  return fmt::format("({}, {})", modulation, number_text(snr_db));
}

RadioMlCells read_radioml(const std::filesystem::path& path, bool is_complete) {
  const RegularFile file(path, kRadioMlCode);
  refuse_other_formats(file);
  return CellReader(file, is_complete).read();
}

}  // namespace amae
