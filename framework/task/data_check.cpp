#include "task/data_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>

#include "base/text.h"
#include "data/threads.h"
#include "task/data_check_rules.h"

namespace amae {
namespace {

constexpr std::array kCodes = {
    "unreadable",        "not_finite",          "silent",        "clipped",      "short", "rate", "duplicate",
    "clip_in_two_folds", "source_in_two_folds", "class_balance", "class_missing"};
constexpr float kFullScale = 0.9999F;  // 16-bit sound ends at 0.99997

/// What one clip tells, small enough to keep for millions of rows.
struct RowFacts {
  bool loaded = false;
  float peak = 0, clipped = 0;  ///< clipped: share of the samples
  int64_t frames = 0;
  double rate_hz = 0;
  std::string hash;  ///< of the content; empty when it cannot be had
};

class Checker {
 public:
  Checker(const DataTarget& target, const CheckLimits& limits)
      : target_(target), data_(*target.dataset), limits_(limits) {
    report_.name = target.name;
    report_.rows = data_.size();
    for (const char* code : kCodes) report_.counts[code] = 0;
    facts_.resize(static_cast<size_t>(data_.size()));
    is_audio_ = data_.spec().domain == Domain::audio;
  }

  CheckReport run(const DataProgress& progress) {
    parallel_rows(
        data_.size(), data_threads(), [this](int64_t row) { look_at(row); }, progress);
    for (auto& [row, finding] : refused_) report_.add(std::move(finding));
    judge_sound();
    judge_rates();
    std::vector<std::string> hashes;
    for (RowFacts& facts : facts_) hashes.push_back(std::move(facts.hash));
    find_duplicates(target_, hashes, report_);
    find_shared_sources(target_, report_);
    find_odd_classes(target_, limits_.balance, report_);
    const auto place = [](const Finding& f) { return std::find(kCodes.begin(), kCodes.end(), f.code); };
    std::stable_sort(report_.findings.begin(), report_.findings.end(),
                     [&](const Finding& a, const Finding& b) { return place(a) < place(b); });
    return std::move(report_);
  }

 private:
  void refuse(int64_t row, Finding finding) {
    const std::lock_guard lock(mutex_);
    refused_.emplace(row, std::move(finding));
  }

  /// Called from several threads, each for its own rows.
  void look_at(int64_t row) {
    RowFacts& facts = facts_[static_cast<size_t>(row)];
    try {
      facts.hash = data_.content_hash(row);
    } catch (const InputError&) {
      facts.hash.clear();  // load() will say why
    }
    Signal signal;
    try {
      signal = data_.load(row);
    } catch (const InputError& error) {
      facts.hash.clear();  // equal rubbish is no leak
      const Problem& problem = error.problems().front();
      // The readers refuse such samples themselves; to people it is another fault than a file that is no sound.
      const bool not_finite = problem.message.find("not finite") != std::string::npos;
      refuse(row,
             {not_finite ? "not_finite" : "unreadable", data_.id(row), problem.message, {{"where", problem.where}}});
      return;
    }
    const at::Tensor samples = signal.samples.contiguous();
    const float* x = samples.const_data_ptr<float>();
    const int64_t count = samples.numel();
    int64_t at_full_scale = 0, not_finite = 0;
    for (int64_t i = 0; i < count; ++i) {
      const float level = std::abs(x[i]);
      if (!std::isfinite(level)) {
        ++not_finite;
        continue;
      }
      facts.peak = std::max(facts.peak, level);
      at_full_scale += level >= kFullScale ? 1 : 0;
    }
    if (not_finite > 0) {
      refuse(row, {"not_finite",
                   data_.id(row),
                   fmt::format("{} of {} samples are not finite", not_finite, count),
                   {{"samples", not_finite}, {"of", count}}});
      return;
    }
    facts.loaded = true;
    facts.frames = samples.size(-1);
    facts.rate_hz = signal.rate_hz;
    facts.clipped = count > 0 ? static_cast<float>(static_cast<double>(at_full_scale) / static_cast<double>(count)) : 0;
  }

  void judge_sound() {
    for (int64_t row = 0; row < data_.size(); ++row) {
      const RowFacts& facts = facts_[static_cast<size_t>(row)];
      if (!facts.loaded) continue;
      const double seconds = facts.rate_hz > 0 ? static_cast<double>(facts.frames) / facts.rate_hz : -1;
      // A frame of IQ lasts microseconds, and is none the worse for it.
      if (facts.frames == 0 || (is_audio_ && seconds >= 0 && seconds < limits_.shortest_s)) {
        report_.add({"short",
                     data_.id(row),
                     fmt::format("{} samples ({}), expected at least {} s", facts.frames,
                                 seconds < 0 ? "rate unknown" : fmt::format("{:.4g} s", seconds),
                                 number_text(limits_.shortest_s)),
                     {{"samples", facts.frames}, {"seconds", std::max(0.0, seconds)}}});
      }
      const double peak_db = 20 * std::log10(static_cast<double>(facts.peak));
      if (facts.frames > 0 && (facts.peak == 0 || (is_audio_ && peak_db < limits_.silence_db))) {
        report_.add({"silent",
                     data_.id(row),
                     facts.peak == 0 ? "nothing but zeros" : fmt::format("its peak is {:.1f} dB", peak_db),
                     {{"peak", facts.peak}}});
      }
      if (is_audio_ && facts.clipped > 0 && static_cast<double>(facts.clipped) >= limits_.clipped_share) {
        report_.add({"clipped",
                     data_.id(row),
                     fmt::format("{:.2f} % of its samples are at full scale", 100 * facts.clipped),
                     {{"share", facts.clipped}, {"peak", facts.peak}}});
      }
    }
  }

  void judge_rates() {
    std::map<double, int64_t> rows_of;
    int64_t loaded = 0;
    for (const RowFacts& facts : facts_) {
      if (facts.loaded) ++rows_of[facts.rate_hz], ++loaded;
    }
    if (rows_of.size() < 2) return;
    const auto usual = std::max_element(rows_of.begin(), rows_of.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
    for (int64_t row = 0; row < data_.size(); ++row) {
      const RowFacts& facts = facts_[static_cast<size_t>(row)];
      if (!facts.loaded || facts.rate_hz == usual->first) continue;
      report_.add({"rate",
                   data_.id(row),
                   fmt::format("{} Hz; {} of {} rows have {} Hz", number_text(facts.rate_hz), usual->second, loaded,
                               number_text(usual->first)),
                   {{"rate_hz", facts.rate_hz}, {"usual_hz", usual->first}, {"usual_rows", usual->second}}});
    }
  }

  const DataTarget& target_;
  const Dataset& data_;
  CheckLimits limits_;
  bool is_audio_ = true;
  CheckReport report_;
  std::vector<RowFacts> facts_;
  std::mutex mutex_;
  std::map<int64_t, Finding> refused_;
};

}  // namespace

void CheckReport::add(Finding finding) {
  if (static_cast<size_t>(++counts.at(finding.code)) > kListed) return;
  findings.push_back(std::move(finding));
}

std::string CheckReport::leak_text() const {
  if (!has_folds) return "no folds known, so that nothing can lie in two";
  const auto some = [](int64_t n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); };
  const int64_t clips = counts.at("clip_in_two_folds"), shared = counts.at("source_in_two_folds");
  std::vector<std::string> parts;
  if (clips > 0) parts.push_back(some(clips, "clip") + " in two folds");  // not a plugin: a word
  if (shared > 0) parts.push_back(some(shared, "source") + " with clips of one class in two folds");
  if (parts.empty()) {
    parts.push_back(has_groups
                        ? fmt::format("none: no clip is in two folds, and none of {} has clips of one class in two",
                                      some(sources, "source"))
                        : "none known: no clip is in two folds; the data set names no sources");
  }
  std::string text = join(parts, ", ");
  if (sources_elsewhere > 0) {
    text += fmt::format("; {} in two folds with different classes, which is no leak within a class",
                        some(sources_elsewhere, "source"));
  }
  return text;
}

CheckReport check_data(const DataTarget& target, const CheckLimits& limits, const DataProgress& progress) {
  return Checker(target, limits).run(progress);
}

nlohmann::ordered_json to_json(const CheckReport& report) {
  using nlohmann::ordered_json;
  ordered_json json{{"dataset", report.name},
                    {"rows", report.rows},
                    {"found", 0},
                    {"counts", ordered_json::object()},
                    {"leaks", report.leaks()},
                    {"sources", report.sources},
                    {"sources_in_two_folds_with_other_classes", report.sources_elsewhere},
                    {"findings", ordered_json::array()}};
  int64_t found = 0;
  for (const char* code : kCodes) {
    json["counts"][code] = report.counts.at(code);
    found += report.counts.at(code);
  }
  json["found"] = found;
  for (const Finding& finding : report.findings) {
    json["findings"].push_back(
        {{"code", finding.code}, {"item", finding.item}, {"message", finding.message}, {"numbers", finding.numbers}});
  }
  return json;
}

}  // namespace amae
