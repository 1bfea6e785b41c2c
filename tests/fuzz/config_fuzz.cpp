// Configs: any text and overrides (behind the byte 0x1E, one each) are a tree or refused; and options that were read,
// written out and read again are the same.
#include <vector>

#include "amae/error.h"
#include "config/load.h"
#include "config/read.h"
#include "target.h"

namespace {

struct Inner {
  int64_t epochs = 10;
  double lr = 0.1, warmup_s = 0;
  std::string optimizer = "adamw";
  bool amp = false;
  void describe(amae::Fields& f) {
    f.add("epochs", epochs, "passes").range(1, 100'000);
    f.add("lr", lr, "learning rate").range(0, 10);
    f.add("warmup", warmup_s, "warm-up").unit("s").min(0);
    f.add("optimizer", optimizer, "which one").choices({"adamw", "sgd"});
    f.add("amp", amp, "mixed precision");
  }
};

/// One option of every kind that components declare.
struct Options {
  std::string title;
  int64_t rate_hz = 16'000, memory = 0;
  double share = 0.5, gain_db = 0;
  std::vector<int64_t> sizes{1, 2};
  std::vector<double> weights;
  std::vector<std::string> tags, files;
  std::string folder;
  amae::Component model;
  std::vector<amae::Component> transforms;
  Inner train;
  void describe(amae::Fields& f) {
    f.add("title", title, "headline");
    f.add("rate", rate_hz, "rate").unit("Hz").range(1'000, 20e6);
    f.add("memory", memory, "cache").unit("bytes").min(0);
    f.add("share", share, "part").unit("fraction").range(0, 1);
    f.add("gain", gain_db, "gain").unit("dB");
    f.add("sizes", sizes, "sizes").range(1, 512);
    f.add("weights", weights, "weights").min(0);
    f.add("tags", tags, "tags");
    f.add("folder", folder, "folder").path();
    f.add("files", files, "files").path();
    f.add("model", model, "encoder").kind("model");
    f.add("transforms", transforms, "chain").kind("transform");
    f.section("train", train);
  }
};

/// The options as YAML, or nothing when the tree has mistakes.
std::string resolved(const amae::config::Node& tree) {
  Options options;
  amae::Fields fields;
  options.describe(fields);
  std::vector<amae::Problem> problems;
  amae::config::read_fields(&tree, fields, "", tree.mark, {}, problems);
  for (const amae::Problem& problem : problems) {
    amae::fuzz::require(!problem.code.empty() && !problem.message.empty(), "a problem has a code and a message");
    amae::fuzz::require(problem.line().find('\n') == std::string::npos, "a problem is one line");
  }
  return problems.empty() ? amae::config::to_yaml(fields) : "";
}

}  // namespace

AMAE_FUZZ_TARGET(config)(const uint8_t* data, size_t size) {
  static amae::MemoryFile file;
  std::string_view rest = amae::fuzz::text_of(data, size);
  std::vector<std::string> parts;
  while (parts.size() < 8 && rest.data() != nullptr) {
    const size_t end = rest.find('\x1E');
    parts.emplace_back(rest.substr(0, end));
    // An argument of a program ends at NUL; the file may hold any.
    if (parts.size() > 1) parts.back() = parts.back().c_str();
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  if (parts.empty()) parts.emplace_back();
  file.put(parts.front());
  std::string first;
  try {
    const amae::config::NodePtr tree = amae::config::load(file.path(), {parts.begin() + 1, parts.end()});
    amae::config::mark_of(*tree, "train.epochs");
    first = resolved(*tree);
  } catch (const amae::Error&) {  // refused
  }
  if (!first.empty()) {
    const amae::config::NodePtr tree = amae::config::load_text(first, "again", {});
    amae::fuzz::require(resolved(*tree) == first, "options written out read back the same");
  }
  return 0;
}
