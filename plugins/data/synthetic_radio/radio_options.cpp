#include "radio_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <type_traits>
#include <variant>

#include "amae/error.h"
#include "base/text.h"
#include "modulation.h"

namespace amae {
namespace {

void check_classes(const SyntheticRadioOptions& options, std::vector<Problem>& problems) {
  const auto refuse = [&](const std::string& message) { problems.push_back({"CFG-RANGE", "", "classes", message}); };
  std::vector<std::string> known;
  for (const Modulation& m : modulations()) {
    known.push_back(m.name);
    if (!m.other_name.empty()) known.push_back(m.other_name);
  }
  const SyntheticRadioOptions published;
  std::set<const Modulation*> seen;
  for (const std::string& name : options.classes) {
    const Modulation* found = find_modulation(name);
    if (found == nullptr) {
      const std::string guess = nearest(name, known);
      refuse(fmt::format("got '{}', expected some of {}{}", printable(name), join(known, ", "),
                         guess.empty() ? "" : "; did you mean " + guess + "?"));
    } else if (!seen.insert(found).second) {
      refuse(fmt::format("got '{}' twice{}, expected each modulation once", name,
                         found->other_name.empty() ? "" : " (" + found->name + " is " + found->other_name + ")"));
    } else if (options.is_faithful() &&
               std::find(published.classes.begin(), published.classes.end(), found->name) == published.classes.end()) {
      refuse(fmt::format("got '{}', which RML2016.10a lacks; expected some of {} in mode {}", name,
                         join(published.classes, ", "), options.mode));
    }
  }
  if (options.classes.empty()) refuse("got none, expected at least one modulation");
}

/// Options that would be ignored in silence: those that `is_ignored` may only have their default.
template <class IsIgnored>
void check_ignored(SyntheticRadioOptions options, const IsIgnored& is_ignored, const std::string& message,
                   std::vector<Problem>& problems) {
  SyntheticRadioOptions standard;
  Fields given, wanted;
  options.describe(given);
  standard.describe(wanted);
  for (size_t k = 0; k < given.all().size(); ++k) {
    const Field& field = given.all()[k];
    const bool is_equal = std::visit(
        [&](const auto* value) {
          using Value = std::remove_cvref_t<decltype(*value)>;
          if constexpr (std::is_same_v<Value, Component> || std::is_same_v<Value, std::vector<Component>>) {
            return true;  // there is none
          } else {
            return *value == *std::get<Value*>(wanted.all()[k].value);
          }
        },
        field.value);
    if (is_ignored(field.name) && !is_equal) problems.push_back({"CFG-RANGE", "", field.name, message});
  }
}

}  // namespace

void SyntheticRadioOptions::check() const {
  std::vector<Problem> problems;
  check_classes(*this, problems);
  if (snr.empty()) problems.push_back({"CFG-RANGE", "", "snr", "got none, expected at least one value, as [0, 10]"});
  if (std::set<double>(snr.begin(), snr.end()).size() != snr.size()) {
    problems.push_back({"CFG-RANGE", "", "snr", "got a value twice, expected each once"});
  }
  if (path_delays.empty() || path_delays.size() != path_gains.size()) {
    problems.push_back({"CFG-RANGE", "", "path_gains",
                        fmt::format("got {} gains for {} path_delays, expected as many, one at least",
                                    path_gains.size(), path_delays.size())});
  } else if (*std::max_element(path_gains.begin(), path_gains.end()) <= 0) {
    problems.push_back({"CFG-RANGE", "", "path_gains", "got no gain above 0, expected one at least"});
  }
  if (is_faithful()) {
    const std::set<std::string> free = {"mode", "classes", "snr", "frames_per_cell", "seed"};
    check_ignored(
        *this, [&](const std::string& name) { return !free.contains(name); },
        "got a value in mode " + mode + ", where the published generator fixes it; leave it out", problems);
  } else if (fading != "rician") {
    const std::set<std::string> unused = fading == "none"
                                             ? std::set<std::string>{"rician_k", "path_delays", "path_gains"}
                                             : std::set<std::string>{"rician_k"};
    check_ignored(
        *this, [&](const std::string& name) { return unused.contains(name); },
        "got a value, which has no meaning with fading: " + fading + "; leave it out", problems);
  }
  if (!problems.empty()) throw InputError(problems);
}

}  // namespace amae
