#include "task/check_plugin.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "base/child_process.h"
#include "base/stop.h"
#include "base/text.h"
#include "plugin/first_contact.h"
#include "plugin/loader.h"
#include "plugin/plugin_file.h"
#include "task/session.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;
using Verdict = CheckResult::Verdict;

ChildLimits limits_of(const CheckRequest& request) {
  ChildLimits limits;
  limits.start = limits.silence = request.patience;
  // A GPU's driver reserves more addresses than any limit would leave.
  limits.memory_bytes = pick_device(request.device).is_cuda() ? 0 : request.memory_bytes;
  return limits;
}

std::vector<std::string> words_of(const CheckRequest& request, std::vector<std::string> last) {
  std::vector<std::string> words = {"--threads", "1", "--device", request.device};
  for (const fs::path& path : request.plugin_path) words.insert(words.end(), {"--plugin-path", path.string()});
  words.push_back("plugin");
  words.insert(words.end(), last.begin(), last.end());
  return words;
}

/// The last line of what a child wrote, where it tells more than how it ended.
std::string last_words(const std::string& output) {
  std::string line;
  for (size_t begin = 0; begin < output.size();) {
    const size_t end = std::min(output.find('\n', begin), output.size());
    if (end > begin) line = output.substr(begin, end - begin);
    begin = end + 1;
  }
  return line.empty() ? "" : fmt::format("; its last words: {}", printable(line.substr(0, 300)));
}

CheckResult load_check(const CheckRequest& request) {
  CheckResult result;
  result.check = {"load", "the library is whole, of this amae, and registers what it offers", 1};
  std::string problem = plugin_file_problem(request.library);
  if (problem.empty()) problem = meet_again(request.library);
  if (problem.empty()) return result;
  result.verdict = Verdict::failed;
  result.message = problem;
  return result;
}

/// What there is to check, told by a child.
std::vector<CheckResult> list_checks(const CheckRequest& request) {
  std::vector<CheckResult> results;
  const auto words = words_of(request, {"checks", request.library.string(), "--level", std::to_string(request.level)});
  const ChildResult end = run_child(request.program, words, limits_of(request), [&](const std::string& line) {
    const json entry = json::parse(line);
    CheckResult result;
    result.kind = entry.at("kind");
    result.key = entry.at("key");
    result.check = {entry.at("id"), entry.at("claim"), entry.at("level")};
    results.push_back(std::move(result));
  });
  if (end.end != ChildResult::End::exited || end.code != 0)
    throw InputError("PLUGIN", request.library.string(), "",
                     fmt::format("listing its checks {}{}", end.text(), last_words(end.output)));
  return results;
}

/// Makes the checks results[begin] to results[end - 1], all of one component, in a child; when it ends before the last,
/// that is the result of the one it was at. Returns how far it came.
size_t run_child_on(const CheckRequest& request, std::vector<CheckResult>& results, size_t begin, size_t end) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::string> last = {"check-these", request.library.string(), "--kind", results[begin].kind,
                                   "--key",       results[begin].key,       "--seed", std::to_string(request.seed)};
  for (size_t i = begin; i < end; ++i) last.insert(last.end(), {"--id", results[i].check.id});
  size_t at = begin;
  auto since = Clock::now();
  const auto take_time = [&] {
    const auto now = Clock::now();
    return std::chrono::duration<double>(now - std::exchange(since, now)).count();
  };
  const ChildResult child =
      run_child(request.program, words_of(request, last), limits_of(request), [&](const std::string& line) {
        if (at == end) return;
        const json entry = json::parse(line);
        const std::string verdict = entry.at("verdict");
        CheckResult& result = results[at++];
        result.verdict = verdict == "passed"    ? Verdict::passed
                         : verdict == "skipped" ? Verdict::skipped
                                                : Verdict::failed;
        result.message = entry.at("message");
        result.seconds = take_time();
      });
  const bool is_clean = child.end == ChildResult::End::exited && child.code == 0;
  if (is_clean && at == end) return end;
  // What ends its process while it is thrown away, after it had passed, has not passed.
  CheckResult& result = results[at == end ? at - 1 : at];
  result.verdict = Verdict::failed;
  result.message = child.text() + last_words(child.output);
  result.seconds += take_time();
  return std::min(at + 1, end);
}

/// Checks that share a child: the many of a component's option values. Each other one has its own.
std::vector<std::pair<size_t, size_t>> groups_of(const std::vector<CheckResult>& results) {
  std::vector<std::pair<size_t, size_t>> groups;
  const auto is_option = [&](size_t i) { return results[i].check.id.starts_with("option "); };
  for (size_t begin = 0; begin < results.size();) {
    size_t end = begin + 1;
    while (end < results.size() && is_option(begin) && is_option(end) && results[end].kind == results[begin].kind &&
           results[end].key == results[begin].key) {
      ++end;
    }
    groups.emplace_back(begin, end);
    begin = end;
  }
  return groups;
}

/// Calls work(i) for all i from a few threads, and done(i) from the calling thread, in order.
void in_order(size_t count, const std::function<void(size_t)>& work, const std::function<void(size_t)>& done) {
  std::atomic<size_t> next{0};
  std::vector<char> is_ready(count, 0);
  std::mutex mutex;
  std::condition_variable changed;
  std::exception_ptr failure;
  struct Threads {
    std::vector<std::thread> list;
    std::atomic<size_t>& next;
    size_t count;
    ~Threads() {  // also when something is thrown: none may go on
      next = count;
      join();
    }
    void join() {
      for (std::thread& thread : list) thread.join();
      list.clear();
    }
  } threads{{}, next, count};
  for (unsigned number = 0; number < std::max(1U, std::thread::hardware_concurrency()); ++number) {
    threads.list.emplace_back([&] {
      for (size_t i = next++; i < count; i = next++) {
        try {
          work(i);
        } catch (...) {
          const std::lock_guard lock(mutex);
          if (!failure) failure = std::current_exception();
          next = count;
        }
        const std::lock_guard lock(mutex);
        is_ready[i] = 1;
        changed.notify_one();
      }
    });
  }
  for (size_t i = 0; i < count; ++i) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return is_ready[i] != 0 || failure != nullptr; });
    if (failure != nullptr) break;
    lock.unlock();
    done(i);
  }
  threads.join();
  if (failure) std::rethrow_exception(failure);
}

json result_json(const CheckResult& result) {
  return {{"kind", result.kind},         {"key", result.key},           {"id", result.check.id},
          {"claim", result.check.claim}, {"level", result.check.level}, {"verdict", to_string(result.verdict)},
          {"message", result.message},   {"seconds", result.seconds}};
}

size_t count_of(const std::vector<CheckResult>& results, Verdict verdict) {
  return static_cast<size_t>(std::count_if(results.begin(), results.end(),
                                           [&](const CheckResult& result) { return result.verdict == verdict; }));
}

std::string xml(const std::string& text) {
  std::string result;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

const ComponentInfo& component_of(const Registry& registry, const fs::path& library, const std::string& kind,
                                  const std::string& key) {
  for (const ComponentInfo& info : registry.components()) {
    if (info.kind == kind && info.key == key && info.plugin->path == library) return info;
  }
  throw InputError("PLUGIN-KEY", library.string(), "", fmt::format("offers no {} {}", kind, key));
}

}  // namespace

const char* to_string(Verdict verdict) {
  return verdict == Verdict::passed ? "passed" : verdict == Verdict::failed ? "failed" : "skipped";
}

std::vector<CheckResult> check_plugin(const CheckRequest& given,
                                      const std::function<void(const CheckResult&)>& on_result) {
  CheckRequest request = given;
  if (!fs::exists(request.library))
    throw InputError("FILE", request.library.string(), "", "got a plugin that does not exist");
  request.library = fs::canonical(request.library);
  std::vector<CheckResult> results = {load_check(request)};
  on_result(results.front());
  if (results.front().verdict == Verdict::failed) return results;
  std::vector<CheckResult> checks = list_checks(request);
  const auto groups = groups_of(checks);
  in_order(
      groups.size(),
      [&](size_t number) {
        for (size_t at = groups[number].first; at < groups[number].second;)
          at = run_child_on(request, checks, at, groups[number].second);
      },
      [&](size_t number) {
        for (size_t at = groups[number].first; at < groups[number].second; ++at) on_result(checks[at]);
      });
  results.insert(results.end(), checks.begin(), checks.end());
  return results;
}

std::string check_json(const CheckRequest& request, const std::vector<CheckResult>& results) {
  json list = json::array();
  for (const CheckResult& result : results) list.push_back(result_json(result));
  return nlohmann::ordered_json{{"file", request.library.string()},
                                {"level", request.level},
                                {"seed", request.seed},
                                {"passed", count_of(results, Verdict::passed)},
                                {"failed", count_of(results, Verdict::failed)},
                                {"skipped", count_of(results, Verdict::skipped)},
                                {"checks", list}}
      .dump(2, ' ', false, json::error_handler_t::replace);
}

std::string check_junit(const CheckRequest& request, const std::vector<CheckResult>& results) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  text += fmt::format("<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
                      xml(request.library.string()), results.size(), count_of(results, Verdict::failed),
                      count_of(results, Verdict::skipped));
  for (size_t begin = 0; begin < results.size();) {
    size_t end = begin;
    const auto suite = [&](size_t i) { return results[i].kind + " " + results[i].key; };
    while (end < results.size() && suite(end) == suite(begin)) ++end;
    const std::string name = results[begin].kind.empty() ? "library" : suite(begin);
    const std::vector<CheckResult> own(results.begin() + static_cast<std::ptrdiff_t>(begin),
                                       results.begin() + static_cast<std::ptrdiff_t>(end));
    text += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n", xml(name),
                        own.size(), count_of(own, Verdict::failed), count_of(own, Verdict::skipped));
    for (const CheckResult& result : own) {
      text += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"", xml(name), xml(result.check.id),
                          result.seconds);
      if (result.verdict == Verdict::passed) {
        text += "/>\n";
        continue;
      }
      const char* tag = result.verdict == Verdict::failed ? "failure" : "skipped";
      text += fmt::format("><{} message=\"{}\"/></testcase>\n", tag, xml(result.message));
    }
    text += "  </testsuite>\n";
    begin = end;
  }
  return text + "</testsuites>\n";
}

void report_checks(const fs::path& library, int level) {
  const Registry registry = load_plugins({library});
  for (const ComponentInfo& info : registry.components()) {
    for (const compliance::Check& check : compliance::checks_of(info, level))
      report_line(
          json{{"kind", info.kind}, {"key", info.key}, {"id", check.id}, {"claim", check.claim}, {"level", check.level}}
              .dump());
  }
}

void report_these_checks(const CheckRequest& request, const std::string& kind, const std::string& key,
                         const std::vector<std::string>& ids) {
  // The others matter to one check alone.
  std::vector<fs::path> search = {request.library};
  if (ids.front() == "own_key") {
    for (const fs::path& entry : plugin_search_path(request.plugin_path)) search.push_back(entry);
    probe_plugins_with(request.program);  // strangers among them are no matter of this one
  }
  const Registry registry = load_plugins(search);
  compliance::Subject subject;
  subject.registry = &registry;
  subject.info = &component_of(registry, request.library, kind, key);
  subject.seed = request.seed;
  subject.device = pick_device(request.device);
  compliance::Examples examples = compliance::examples_beside(request.library);
  if (const auto own = examples.find(key); own != examples.end()) subject.examples = own->second;
  const auto report = [](const char* verdict, const std::string& message) {
    report_line(json{{"verdict", verdict}, {"message", message}}.dump(-1, ' ', false, json::error_handler_t::replace));
  };
  for (const std::string& id : ids) {
    try {
      compliance::run_check(subject, id);
      report("passed", "");
    } catch (const compliance::Skipped& skipped) {
      report("skipped", skipped.what());
    } catch (const Error& failure) {
      report("failed", failure.problems().front().message);
    } catch (const std::exception& failure) {
      const std::string text = failure.what();
      report("failed", "threw: " + text.substr(0, text.find('\n')));
    } catch (...) {
      report("failed", "threw what is no std::exception");
    }
  }
}

}  // namespace amae
