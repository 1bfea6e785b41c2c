// YAML events to a tree. The event interface gives what YAML::Node hides: marks of keys, duplicate keys, aliases before
// they are expanded, and a place to stop before a hostile document costs time or memory.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "config/bytes.h"
#include "config/limits.h"
#include "config/tree.h"
#include "config/walk.h"

namespace amae::config {
namespace {

/// Thrown inside this file to leave yaml-cpp's recursion once going on makes no sense; the problem is already noted.
struct Stop {};

/// Where the text stands and how it is named in messages.
struct Document {
  std::string_view text;
  std::string source;
  bool has_lines;  ///< false for an argument, which is one line without a number

  [[nodiscard]] Mark mark(const YAML::Mark& at) const {
    if (!has_lines || at.line < 0) return {source, 0, 0};
    const auto offset = static_cast<size_t>(at.column);
    const size_t start = static_cast<size_t>(at.pos) - std::min(offset, static_cast<size_t>(at.pos));
    return {source, at.line + 1, column_of(text.substr(std::min(start, text.size())), offset)};
  }
  [[nodiscard]] std::string_view rest(const YAML::Mark& at) const {
    return text.substr(at.pos < 0 ? text.size() : std::min(static_cast<size_t>(at.pos), text.size()));
  }
};

/// `~` and `null` are said on purpose; nothing after the colon may be an accident. Merging tells them apart.
std::string explicit_null(std::string_view rest) {
  constexpr std::array<std::string_view, 4> kWords{"null", "Null", "NULL", "~"};
  for (const std::string_view word : kWords) {
    if (rest.substr(0, word.size()) != word) continue;
    const std::string_view after = rest.substr(word.size(), 1);
    if (after.empty() || std::string_view(" \t\r\n,]}").find(after) != std::string_view::npos) return std::string(word);
  }
  return {};
}

class Builder final : public YAML::EventHandler {
 public:
  Builder(const Document& document, std::vector<Problem>& problems) : document_(document), problems_(problems) {}

  [[nodiscard]] NodePtr root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& at) override {
    if (++documents_ == 1) return;
    // The parser also comes here with leftovers such as `,`, without having moved on.
    if (document_.rest(at).substr(0, 3) == "---") stop("CFG-SYNTAX", at, "got a second document, expected one");
    stop("CFG-SYNTAX", at, "got " + word_at(at) + " after the value, expected the end of the document");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& at, YAML::anchor_t anchor) override {
    if (expects_key()) stop("CFG-SYNTAX", at, "got no key, expected text before the colon");
    NodePtr node = make(Node::Kind::null, at, "");
    node->scalar = explicit_null(document_.rest(at));
    const bool has_key = !frames_.empty() && frames_.back().node->kind == Node::Kind::map;
    // An empty value has the mark of whatever comes next; its key is where the reader should look.
    if (has_key && (node->scalar.empty() || node->mark.line != frames_.back().key_mark.line)) {
      node->scalar.clear();
      node->mark = frames_.back().key_mark;
    }
    remember(anchor, node);
    place(node);
  }

  void OnScalar(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool plain_tag = tag == "?" || tag == "!";  // yaml-cpp's words for "plain" and "quoted or block"
    if (value.find('\0') != std::string::npos) stop("CFG-SYNTAX", at, "got an escaped NUL, expected text");
    if (expects_key()) {
      if (!plain_tag) stop("CFG-SYNTAX", at, "got the tag " + printable(tag) + " on a key, expected text");
      set_key(at, value);
      if (anchor != 0) {
        auto node = std::make_shared<Node>();
        node->kind = Node::Kind::scalar;
        node->scalar = value;
        node->mark = document_.mark(at);
        remember(anchor, node);
      }
      return;
    }
    NodePtr node = make(Node::Kind::scalar, at, plain_tag ? "" : tag);
    node->scalar = value;
    node->quoted = tag == "!";
    remember(anchor, node);
    place(node);
  }

  void OnSequenceStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(Node::Kind::list, at, tag, anchor, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(Node::Kind::map, at, tag, anchor, style);
  }
  void OnMapEnd() override { close(); }

  void OnAnchor(const YAML::Mark& /*at*/, const std::string& name) override { anchor_name_ = name; }

  void OnAlias(const YAML::Mark& at, YAML::anchor_t anchor) override {
    if (expects_key()) stop("CFG-SYNTAX", at, "got an alias as key, expected text");
    const Anchor& target = anchors_.at(anchor);
    if (target.is_open) {
      const std::string line = target.node->mark.line > 0 ? ", line " + std::to_string(target.node->mark.line) : "";
      stop("CFG-CYCLE", at,
           "got a cycle at anchor " + printable(target.name) + line + ", expected an alias of another value");
    }
    count(target.nodes, at);  // before copying: an alias bomb must cost nothing
    check_depth(frames_.size() + target.depth, at);
    place(target.node->copy());
  }

 private:
  struct Frame {
    NodePtr node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    std::string key;
    Mark key_mark;
    std::unordered_map<std::string, Mark> keys;
  };
  struct Anchor {
    NodePtr node;
    std::string name;
    bool is_open = false;
    size_t nodes = 1;
    size_t depth = 0;
  };

  void add(const char* code, const YAML::Mark& at, const std::string& message) {
    problems_.push_back({code, document_.mark(at).text(), path(), message});
  }
  [[noreturn]] void stop(const char* code, const YAML::Mark& at, const std::string& message) {
    add(code, at, message);
    throw Stop{};
  }

  /// Dotted path of the place that the events have reached.
  [[nodiscard]] std::string path() const {
    std::string result;
    for (const Frame& frame : frames_) {
      if (frame.node->kind == Node::Kind::list) {
        result = join_path(result, std::to_string(frame.node->list.size()));
      } else if (frame.has_key) {
        result = join_path(result, printable(frame.key));
      }
    }
    return result;
  }

  [[nodiscard]] std::string word_at(const YAML::Mark& at) const {
    const std::string_view rest = document_.rest(at);
    return printable(rest.substr(0, std::min(rest.find_first_of(" \t\r\n"), size_t{20})));
  }

  [[nodiscard]] bool expects_key() const {
    return !frames_.empty() && frames_.back().node->kind == Node::Kind::map && !frames_.back().has_key;
  }

  void count(size_t nodes, const YAML::Mark& at) {
    nodes_ += nodes;
    if (nodes_ <= kMaxNodes) return;
    problems_.push_back(
        limit_problem(document_.mark(at).text(), "", std::to_string(nodes_), kMaxNodes, "values, aliases expanded"));
    throw Stop{};
  }

  void check_depth(size_t depth, const YAML::Mark& at) {
    if (depth <= kMaxDepth) return;
    problems_.push_back(
        limit_problem(document_.mark(at).text(), "", std::to_string(depth), kMaxDepth, "nested maps and lists"));
    throw Stop{};
  }

  NodePtr make(Node::Kind kind, const YAML::Mark& at, const std::string& tag) {
    count(1, at);
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->mark = document_.mark(at);
    if (tag.empty()) return node;
    const bool on_list = tag == "!append" || tag == "!prepend" || tag == "!patch";
    if (!on_list && tag != "!replace") {
      add("CFG-SYNTAX", at, "got the tag " + printable(tag) + ", expected !append, !prepend, !patch, !replace or none");
    } else if (kind == Node::Kind::scalar || (on_list && kind != Node::Kind::list)) {
      add("CFG-TYPE", at,
          "got the tag " + tag + " on " + (kind == Node::Kind::map ? "a map" : "text") + ", expected it on " +
              (on_list ? "a list" : "a map or a list"));
    } else {
      node->tag = tag;
    }
    return node;
  }

  void open(Node::Kind kind, const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    const std::string what = kind == Node::Kind::map ? "a map" : "a list";
    if (expects_key()) stop("CFG-SYNTAX", at, "got " + what + " as key, expected text; or a bracket is not closed");
    if (!document_.has_lines && style == YAML::EmitterStyle::Block) {
      stop("CFG-SYNTAX", at,
           "got an indented " + what.substr(2) +
               ", expected text, a number, [a, b] or {key: value}; "
               "quote text that holds `: ` or begins with `- `");
    }
    check_depth(frames_.size() + 1, at);
    NodePtr node = make(kind, at, tag == "?" ? "" : tag);
    if (anchor != 0) anchors_[anchor] = {node, anchor_name_, true, 0, 0};
    frames_.push_back({std::move(node), anchor, false, {}, {}, {}});
  }

  void close() {
    const Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.anchor != 0) {
      Anchor& anchor = anchors_[frame.anchor];
      anchor.is_open = false;
      anchor.nodes = count_nodes(*frame.node, kMaxNodes);
      anchor.depth = depth_of(*frame.node);
    }
    place(frame.node);
  }

  void remember(YAML::anchor_t anchor, const NodePtr& node) {
    if (anchor != 0) anchors_[anchor] = {node, anchor_name_, false, 1, 0};
  }

  void set_key(const YAML::Mark& at, const std::string& key) {
    Frame& frame = frames_.back();
    frame.key = key;
    frame.key_mark = document_.mark(at);
    frame.has_key = true;
    if (key == "<<") {
      add("CFG-SYNTAX", at, "got the merge key <<, expected plain keys; use `extends` or repeat the keys");
    }
    const auto [first, is_new] = frame.keys.emplace(key, frame.key_mark);
    if (is_new) return;
    std::string message = "got the key " + printable(key) + " twice";
    if (document_.has_lines) {
      message +=
          ", in line " + std::to_string(first->second.line) + " and in line " + std::to_string(frame.key_mark.line);
    }
    add("CFG-DUPLICATE", at, message + ", expected it once");
  }

  /// Hands a finished value to the map, list or document that it belongs to.
  void place(const NodePtr& node) {
    if (frames_.empty()) {
      root_ = node;
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node->kind == Node::Kind::list) {
      frame.node->list.push_back(node);
      return;
    }
    frame.node->map.push_back({frame.key, frame.key_mark, node});
    frame.has_key = false;
  }

  const Document& document_;
  std::vector<Problem>& problems_;
  NodePtr root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchor> anchors_;
  std::string anchor_name_;
  size_t nodes_ = 0;
  int documents_ = 0;
};

std::string syntax_hint(const std::string& message) {
  if (message == YAML::ErrorMsg::MAP_VALUE) return "; quote text that holds `: `";
  if (message == YAML::ErrorMsg::END_OF_MAP || message == YAML::ErrorMsg::END_OF_SEQ) {
    return "; check the indentation here and the colon of each key";
  }
  if (message == YAML::ErrorMsg::UNKNOWN_TOKEN) return "; quote text that begins with a special character";
  if (message == YAML::ErrorMsg::EOF_IN_SCALAR) return "; a closing quote is missing";
  if (message == YAML::ErrorMsg::END_OF_MAP_FLOW || message == YAML::ErrorMsg::END_OF_SEQ_FLOW) {
    return "; a closing bracket or a comma is missing";
  }
  return "";
}

NodePtr parse(const Document& document) {
  std::vector<Problem> problems;
  if (document.text.size() > kMaxBytes) {
    throw InputError(
        {limit_problem(document.source, "", std::to_string(document.text.size()), kMaxBytes, "bytes of YAML")});
  }
  problems = check_bytes(document.text, document.source, document.has_lines);
  if (!problems.empty()) throw InputError(std::move(problems));

  Builder builder(document, problems);
  try {
    std::istringstream stream{std::string(document.text)};
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);  // the second call ends in Stop, if any
  } catch (const Stop&) {                                                        // already noted
  } catch (const YAML::Exception& error) {
    problems.push_back({"CFG-SYNTAX", document.mark(error.mark).text(), "",
                        "got text that is not YAML (" + printable(error.msg) + ")" + syntax_hint(error.msg)});
  }
  if (!problems.empty() && problems.back().code == "CFG-SYNTAX") {
    std::vector<Problem> too_deep = check_brackets(document.text, document.source, document.has_lines, kMaxDepth);
    if (!too_deep.empty()) problems.back() = std::move(too_deep.front());
  }
  if (!problems.empty()) throw InputError(std::move(problems));
  if (builder.root() != nullptr) return builder.root();
  auto nothing = std::make_shared<Node>();
  nothing->mark = {document.source, document.has_lines ? 1 : 0, document.has_lines ? 1 : 0};
  return nothing;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

NodePtr parse_yaml(std::string_view text, const std::string& source) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(kByteOrderMark.size());
  return parse({text, source, true});
}

NodePtr parse_value(std::string_view text, const std::string& source) {
  if (trimmed(text).empty()) {  // `key=` is the shell's way to write empty text
    auto empty = std::make_shared<Node>();
    empty->kind = Node::Kind::scalar;
    empty->quoted = true;
    empty->mark = {source, 0, 0};
    return empty;
  }
  NodePtr node = parse({text, source, false});
  // Plain text must arrive whole: YAML would drop a comment and fold lines without a word.
  const bool is_plain = node->kind == Node::Kind::scalar && !node->quoted;
  if ((is_plain || node->kind == Node::Kind::null) && node->scalar != trimmed(text)) {
    throw InputError("CFG-SYNTAX", source, "",
                     "got `" + printable(text) + "` of which only `" + printable(node->scalar) +
                         "` would be read, expected one value; quote it");
  }
  return node;
}

}  // namespace amae::config
