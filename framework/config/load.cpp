#include "config/load.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "config/interpolate.h"
#include "config/limits.h"
#include "config/merge.h"
#include "config/override.h"
#include "config/walk.h"

namespace amae::config {
namespace {

namespace fs = std::filesystem;

/// Reads files with all that they extend. Goes on after a mistake, so that one run tells all of them.
class Loader {
 public:
  explicit Loader(std::vector<Problem>& problems) : problems_(problems) {}

  /// Null when the file could not be used; the reason is noted. `named_at` has an empty source for the file itself.
  NodePtr read(const fs::path& path, const Mark& named_at) {
    const std::string where = named_at.source.empty() ? path.string() : named_at.text();
    std::error_code error;
    fs::path identity = fs::weakly_canonical(path, error);
    if (error) identity = path;
    if (std::find(open_.begin(), open_.end(), identity) != open_.end()) {
      std::vector<std::string> names;
      for (const fs::path& file : open_) names.push_back(printable(file.filename().string()));
      names.push_back(printable(path.filename().string()));
      problems_.push_back(
          {"CFG-CYCLE", where, "extends", "got the cycle " + join(names, " -> ") + ", expected an end"});
      return nullptr;
    }
    if (++files_ > kMaxFiles) {
      if (files_ == kMaxFiles + 1) {
        problems_.push_back(limit_problem(where, "", std::to_string(files_), kMaxFiles, "files in one config"));
      }
      return nullptr;
    }
    std::string text;
    if (!read_text(path, where, text)) return nullptr;
    open_.push_back(std::move(identity));
    NodePtr root = finish([&] { return parse_yaml(text, path.string()); }, path.parent_path());
    open_.pop_back();
    return root;
  }

  /// Parses by `parse`, then merges what the document extends; paths in it are relative to `folder`.
  template <class Parse>
  NodePtr finish(const Parse& parse, const fs::path& folder) {
    NodePtr root;
    try {
      root = parse();
    } catch (const InputError& error) {
      problems_.insert(problems_.end(), error.problems().begin(), error.problems().end());
      return nullptr;
    }
    return extend(root, folder);
  }

 private:
  bool read_text(const fs::path& path, const std::string& where, std::string& text) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      const std::string reason = error && status.type() != fs::file_type::not_found ? " (" + error.message() + ")" : "";
      problems_.push_back(
          {"CFG-FILE", where, "", "got no file " + printable(path.string()) + reason + ", expected a config file"});
      return false;
    }
    const uintmax_t size = fs::is_regular_file(status) ? fs::file_size(path, error) : 0;
    if (!error && size > kMaxBytes) {
      problems_.push_back(limit_problem(where, "", std::to_string(size), kMaxBytes, "bytes of YAML"));
      return false;
    }
    try {
      text = amae::read_file(path, kMaxBytes);
    } catch (const InputError& failure) {
      for (const Problem& problem : failure.problems()) {
        problems_.push_back({"CFG-FILE", where, "", problem.message + " (" + printable(path.string()) + ")"});
      }
      return false;
    }
    return true;
  }

  NodePtr extend(const NodePtr& root, const fs::path& folder) {
    const Entry* extends = root->find("extends");
    if (extends == nullptr) return merge(nullptr, root, "", problems_);
    NodePtr base;
    for (const NodePtr& name : names_of(*extends)) {
      if (name->kind != Node::Kind::scalar || name->scalar.empty()) {
        problems_.push_back({"CFG-TYPE", name->mark.text(), "extends", "got " + shown(*name) + ", expected a path"});
        continue;
      }
      const NodePtr file = read((folder / name->scalar).lexically_normal(), name->mark);
      if (file == nullptr) continue;
      if (file->kind == Node::Kind::map) {
        base = merge(base, file, "", problems_);
      } else if (file->kind != Node::Kind::null) {
        problems_.push_back({"CFG-TYPE", file->mark.text(), "", "got " + shown(*file) + ", expected a map of options"});
      }
    }
    auto own = std::make_shared<Node>(*root);
    own->map.erase(own->map.begin() + (extends - root->map.data()));
    const NodePtr result = merge(base, own, "", problems_);
    check_nodes(*result);
    return result;
  }

  void check_nodes(const Node& root) {
    if (count_nodes(root, kMaxNodes) <= kMaxNodes) return;
    problems_.push_back(limit_problem(root.mark.text(), "", "more", kMaxNodes, "values after merging"));
    throw InputError(problems_);
  }

  static std::vector<NodePtr> names_of(const Entry& extends) {
    if (extends.value->kind == Node::Kind::list) return extends.value->list;
    return {extends.value};
  }

  std::vector<Problem>& problems_;
  std::vector<fs::path> open_;
  int files_ = 0;
};

/// What is left to do once the files are one tree. `root` is null when a file was refused.
NodePtr complete(Loader& loader, NodePtr root, const std::string& source, const std::vector<std::string>& overrides,
                 std::vector<Problem>& problems) {
  const bool is_readable = root != nullptr;
  if (!is_readable || root->kind == Node::Kind::null) {
    const Mark mark = is_readable ? root->mark : Mark{source, 1, 1};
    root = std::make_shared<Node>();
    root->kind = Node::Kind::map;
    root->mark = mark;
  }
  if (root->kind != Node::Kind::map) {
    problems.push_back({"CFG-TYPE", root->mark.text(), "", "got " + shown(*root) + ", expected a map of options"});
    throw InputError(std::move(problems));
  }
  const ReadFile read_file = [&](const std::string& path, const Mark& at) { return loader.read(path, at); };
  for (size_t i = 0; i < overrides.size(); ++i) {
    const std::string argument = "<argument " + std::to_string(i + 1) + ">";
    // Paths into a file that was refused cannot be judged; the words themselves still can.
    std::vector<Problem> found;
    apply_override(root, overrides[i], argument, read_file, found);
    for (Problem& problem : found) {
      const bool judges_path = problem.code == "CFG-OVERRIDE" && !problem.field.empty();
      if (is_readable || !judges_path) problems.push_back(std::move(problem));
    }
  }
  if (!problems.empty()) throw InputError(std::move(problems));
  if (count_nodes(*root, kMaxNodes) > kMaxNodes) {
    throw InputError({limit_problem(source, "", "more", kMaxNodes, "values after overrides")});
  }
  if (depth_of(*root) > kMaxDepth) {
    throw InputError({limit_problem(source, "", std::to_string(depth_of(*root)), kMaxDepth, "nested maps and lists")});
  }
  interpolate(*root, problems);
  if (!problems.empty()) throw InputError(std::move(problems));
  return root;
}

}  // namespace

NodePtr load(const std::filesystem::path& path, const std::vector<std::string>& overrides) {
  std::vector<Problem> problems;
  Loader loader(problems);
  const NodePtr root = loader.read(path, {});
  return complete(loader, root, path.string(), overrides, problems);
}

NodePtr load_text(std::string_view text, const std::string& source, const std::vector<std::string>& overrides) {
  std::vector<Problem> problems;
  Loader loader(problems);
  const bool is_file = !source.empty() && source.front() != '<';
  const fs::path folder = is_file ? fs::path(source).parent_path() : fs::path();
  const NodePtr root = loader.finish([&] { return parse_yaml(text, source); }, folder);
  return complete(loader, root, source, overrides, problems);
}

}  // namespace amae::config
