#include "io/pickle.h"

#include <catch2/catch_test_macros.hpp>

#include "base/file.h"
#include "io/state_dict.h"
#include "tests/io/pickle_bytes.h"
#include "tests/problems.h"

using namespace amae;

namespace {

/// "FIELD: MESSAGE" of the refusal; empty when the pickle is read.
std::string pickle_refusal(const std::string& bytes) {
  const auto problems = problems_of([&] { const Pickle pickle(bytes, "file.pt", "data.pkl", torch_pickle_rules()); });
  if (problems.empty()) return "";
  CHECK(problems.size() == 1);
  CHECK(problems[0].code == "TORCH");
  CHECK(problems[0].where == "file.pt");
  return problems[0].field + ": " + problems[0].message;
}

void pickle_refuses(const std::string& bytes, const std::string& part) {
  const std::string refusal = pickle_refusal(bytes);
  INFO(refusal << " should say " << part);
  CHECK(contains(refusal, part));
}

}  // namespace

TEST_CASE("plain values of every opcode are what Python would make of them") {
  using Kind = Pickle::Kind;
  const std::string items = std::string("N\x88\x89") + "J\xfe\xff\xff\xff" + "K\xff" + std::string("M\x00\x01", 3) +
                            "\x8a\x01\x80" + std::string("\x8a\x00", 2) + "\x8a\x09" + std::string(9, '\x01') + "G" +
                            "\x3f\xf8" + std::string(6, '\0') + pickled::text("\xc3\xa9") + "\x8c\x02hi" + "U\x01\xff" +
                            std::string("C\x02\x00\xff", 4) + ")" + "K\x01\x85" + "\x8f";
  const Pickle pickle(pickled::whole("](" + items + "e"), "f", "p", torch_pickle_rules());
  std::vector<Kind> kinds;
  for (const Pickle::Ref ref : pickle.root().items) kinds.push_back(pickle.at(ref).kind);
  const std::vector<Kind> expected = {Kind::none,    Kind::boolean, Kind::boolean, Kind::integer, Kind::integer,
                                      Kind::integer, Kind::integer, Kind::integer, Kind::inert,   Kind::real,
                                      Kind::text,    Kind::text,    Kind::bytes,   Kind::bytes,   Kind::tuple,
                                      Kind::tuple,   Kind::inert};
  CHECK((kinds == expected));
  const auto at = [&](size_t i) -> const Pickle::Value& { return pickle.at(pickle.root().items[i]); };
  CHECK(at(1).integer == 1);
  CHECK(at(2).integer == 0);
  CHECK(at(3).integer == -2);
  CHECK(at(4).integer == 255);
  CHECK(at(5).integer == 256);
  CHECK(at(6).integer == -128);
  CHECK(at(7).integer == 0);
  CHECK(at(9).real == 1.5);
  CHECK(at(10).text == "\xc3\xa9");
  CHECK(at(11).text == "hi");
  CHECK(at(15).items.size() == 1);
}

TEST_CASE("a value that was stored is the same value, even inside itself") {
  // l = []; l.append(l); (l, l)
  const Pickle pickle(pickled::whole("]q\x01h\x01"
                                     "ah\x01\x86"),
                      "f", "p", torch_pickle_rules());
  REQUIRE(pickle.root().items.size() == 2);
  const Pickle::Ref list = pickle.root().items[0];
  CHECK(pickle.root().items[1] == list);
  CHECK(pickle.at(list).items == std::vector<Pickle::Ref>{list});
}

TEST_CASE("whatever could run is refused by its name, wherever it stands") {
  const std::string shell = pickled::text("echo");
  for (const auto& [module, name] :
       std::vector<std::pair<std::string, std::string>>{{"os", "system"},
                                                        {"posix", "system"},
                                                        {"nt", "system"},
                                                        {"subprocess", "Popen"},
                                                        {"builtins", "eval"},
                                                        {"__builtin__", "exec"},
                                                        {"builtins", "getattr"},
                                                        {"importlib", "import_module"},
                                                        {"torch", "load"},
                                                        {"torch.hub", "load"},
                                                        {"torch._utils", "_import_dotted_name"},
                                                        {"torch.storage", "UntypedStorage"},
                                                        {"numpy", "load"},
                                                        {"collections", "OrderedDict.fromkeys"},
                                                        {"functools", "partial"},
                                                        {"torch.jit", "unsupported_tensor_ops.execWrapper"},
                                                        {"collections.OrderedDict", ""},
                                                        {"collections", "orderedDict"}}) {
    const std::string full = module + "." + name;
    pickle_refuses(pickled::whole(pickled::name(module, name) + shell + "\x85R"), "got " + full + ", expected");
    pickle_refuses(pickled::whole(pickled::text(module) + pickled::text(name) + "\x93" + shell + "\x85R"),
                   "got " + full);
    pickle_refuses("\x80\x02(" + shell + "i" + module + "\n" + name + "\n.", "got " + full);
    pickle_refuses(pickled::whole(pickled::dict({pickled::text("a"), "](" + pickled::name(module, name) +
                                                                         ")\x81"
                                                                         "e"})),
                   "nothing was run");
  }
  pickle_refuses(pickled::whole(pickled::name("os", "system") + shell + "\x85R"), "data.pkl, byte 2: ");
}

TEST_CASE("known names do only what torch.save has them do") {
  const std::string ordered = pickled::name("collections", "OrderedDict");
  CHECK(pickle_refusal(pickled::whole(ordered + ")R}b")).empty());
  CHECK(pickle_refusal(pickled::whole(ordered + ")\x81")).empty());
  pickle_refuses(pickled::whole(ordered + "]\x85R"), "collections.OrderedDict called with other arguments");
  pickle_refuses(pickled::whole(ordered + "]R"), "got a list as arguments");
  pickle_refuses(pickled::whole(ordered + ")RNb"), "got a state for a dict");
  pickle_refuses(pickled::whole("]}b"), "got a state for a list");
  pickle_refuses(pickled::whole(ordered + "}b"), "got a state for a name");
  pickle_refuses(pickled::whole("N)R"), "got a call of None");
  pickle_refuses(pickled::whole(pickled::name("torch", "FloatStorage") + "K\x05\x85R"), "torch.FloatStorage called");
  pickle_refuses(pickled::whole(pickled::text("x") + "Q"), "persistent id");
  pickle_refuses(pickled::whole(pickled::tuple({pickled::text("module"), pickled::name("torch", "FloatStorage"),
                                                pickled::text("0"), pickled::text("cpu"), pickled::integer(1)}) +
                                "Q"),
                 "persistent id");
  pickle_refuses(pickled::whole(pickled::storage("FloatStorage", "0", -1)), "persistent id");
  pickle_refuses(pickled::whole(pickled::name("torch._utils", "_rebuild_tensor_v2") + pickled::integers({1, 2}) + "R"),
                 "_rebuild_tensor_v2 called with other arguments");
}

TEST_CASE("settings beside the weights are inert: parsed, with no content of their own") {
  const std::string settings =
      pickled::name("argparse", "Namespace") + ")R" + pickled::dict({pickled::text("lr"), "K\x01"}) + "b";
  const Pickle pickle(pickled::whole(settings), "f", "p", torch_pickle_rules());
  CHECK(pickle.root().kind == Pickle::Kind::inert);
  CHECK(pickle.root().items.empty());
  pickle_refuses(pickled::whole(pickled::name("argparse", "Namespace") + ")R" +
                                pickled::dict({pickled::text("x"), pickled::name("os", "system")}) + "b"),
                 "os.system");
}

TEST_CASE("damaged pickles are refused with their place") {
  pickle_refuses("", "data.pkl, byte 0");
  pickle_refuses("(lp0\n.", "protocol 2 or later");
  pickle_refuses("\x80\x06N.", "got pickle protocol 6");
  pickle_refuses("\x80\x02N", "the pickle is cut");
  pickle_refuses(pickled::whole("NN"), "belong to nothing");
  pickle_refuses(pickled::whole("(N"), "belong to nothing");
  pickle_refuses(pickled::whole("N(0"), "stack underflow");
  pickle_refuses(pickled::whole("N") + "x", "1 bytes after the end");
  pickle_refuses(pickled::whole("t"), "no mark");
  pickle_refuses(pickled::whole(""), "stack underflow");
  pickle_refuses(pickled::whole("\x86"), "stack underflow");
  pickle_refuses(pickled::whole("h\x05"), "memo 5");
  pickle_refuses(pickled::whole(std::string("j\x05\x00\x00\x01", 5)), "memo 16777221");
  pickle_refuses(pickled::whole("}(NNNu"), "a key without a value");
  pickle_refuses(pickled::whole("NNa"), "got items for None");
  pickle_refuses(pickled::whole("X\x02" + std::string(3, '\0') + "\xc3\x28"), "not UTF-8");
  pickle_refuses(pickled::whole("\xff"), "got opcode 0xff");
  pickle_refuses(pickled::whole("cos"), "a name or number without an end");
  for (const char* claim : {"X\xff\xff\xff\x7f", "T\xff\xff\xff\x7f", "B\xff\xff\xff\xff", "\x8b\xff\xff\xff\x7f",
                            "\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", "\x8e\xff\xff\xff\xff\xff\xff\xff\xff"})
    pickle_refuses(pickled::whole(claim), "the pickle is cut");
}

TEST_CASE("every beginning of a real pickle is refused") {
  const std::string body = pickled::whole(pickled::dict(
      {pickled::text("w"), pickled::tensor(pickled::storage("FloatStorage", "0", 4), 0, {2, 2}, {2, 1})}));
  REQUIRE(pickle_refusal(body).empty());
  for (size_t length = 0; length < body.size(); ++length) {
    INFO(length);
    CHECK_FALSE(pickle_refusal(body.substr(0, length)).empty());
  }
}

TEST_CASE("a million nested, doubled or remembered values cost no stack and little memory") {
  pickle_refuses(pickled::whole(std::string(1'000'000, '(')), "levels");
  pickle_refuses(pickled::whole(std::string(2'000'000, ']')), "more than 1000000 values");
  pickle_refuses(pickled::whole("N" + std::string(2'000'000, '2')), "values at once");
  pickle_refuses(pickled::whole("N" + std::string(2'000'000, '\x94')), "values to remember");
  std::string nested = "N";
  for (int i = 0; i < 900'000; ++i) nested += '\x85';  // ((((None,),),),)
  CHECK(pickle_refusal(pickled::whole(nested)).empty());
  // One long tuple of arguments, called with again and again.
  std::string calls = "(";
  for (int i = 0; i < 300'000; ++i) calls += 'N';
  calls +=
      "tq\x01"
      "0";
  for (int i = 0; i < 300'000; ++i) calls += "ctorch\ndevice\nh\x01R0";
  CHECK(pickle_refusal(pickled::whole(calls + "N")).empty());
}

namespace {

/// The one value of a pickle of any protocol: Parsed(bytes)->integer.
class Parsed {
 public:
  explicit Parsed(const std::string& bytes) : pickle_(bytes, "f", "", PickleRules{"P", 0, "Python"}) {}
  const Pickle::Value* operator->() const { return &pickle_.root(); }

 private:
  Pickle pickle_;
};

std::string refusal_of_any(const std::string& bytes) {
  const auto problems = problems_of([&] { const Pickle pickle(bytes, "f", "", PickleRules{"P", 0, "Python"}); });
  return problems.empty() ? "" : problems[0].field + ": " + problems[0].message;
}

}  // namespace

TEST_CASE("numbers of protocols 0 and 1 are read as Python reads them") {
  using Kind = Pickle::Kind;
  CHECK(Parsed("I-20\n.")->integer == -20);
  CHECK(Parsed("I01\n.")->kind == Kind::boolean);
  CHECK(Parsed("I01\n.")->integer == 1);
  CHECK(Parsed("I1\n.")->kind == Kind::integer);
  CHECK(Parsed("L-9223372036854775808L\n.")->integer == INT64_MIN);
  CHECK(Parsed("L5\n.")->integer == 5);
  CHECK(Parsed("L9223372036854775808L\n.")->kind == Kind::inert);
  CHECK(Parsed("F-2.5e-3\n.")->real == -2.5e-3);
  CHECK(Parsed("Finf\n.")->real > 1e308);
  for (const char* wrong : {"I\n.", "I1x\n.", "I 1\n.", "I0x1\n.", "L\n.", "LL\n.", "F\n.", "F1,5\n.", "I1"})
    CHECK_FALSE(refusal_of_any(wrong).empty());
  CHECK(contains(refusal_of_any("I" + std::string(70'000, '1') + "\n."), "more than 65536 bytes"));
}

TEST_CASE("texts of protocols 0 and 1 are read as Python reads them") {
  using Kind = Pickle::Kind;
  CHECK(Parsed("S'a\\x41\\n\\r\\t\\\\\\'\"'\n.")->text == "aA\n\r\t\\'\"");
  CHECK(Parsed("S\"it's\"\n.")->text == "it's");
  CHECK(Parsed("S''\n.")->text.empty());
  CHECK(Parsed("S'QPSK'\n.")->kind == Kind::text);
  CHECK(Parsed("S'\\xff\\x00'\n.")->kind == Kind::bytes);
  CHECK(Parsed("S'\\xff\\x00'\n.")->text == std::string("\xff\0", 2));
  CHECK(Parsed("Va\\u00e9\\U0001f600\\x\\\\u0041\xe9\n.")->text == "a\xc3\xa9\xf0\x9f\x98\x80\\x\\\\u0041\xc3\xa9");
  CHECK(Parsed("V\n.")->kind == Kind::text);
  for (const char* wrong : {"S'a\n.", "S'a'x\n.", "Sa\n.", "S'\\q'\n.", "S'\\x4'\n.", "S'\\xzz'\n.", "S'\\", "S'a'",
                            "S'", "S", "V\\u12\n.", "V\\ud800\n.", "V\\U00110000\n.", "Va", "S'a\"\n."}) {
    INFO(wrong);
    CHECK_FALSE(refusal_of_any(wrong).empty());
  }
}

TEST_CASE("a file shows through its window what memory shows at once, wherever the window ends") {
  // 256 KiB windows: escapes, numbers and counted bytes of every length fall on their ends.
  std::string quoted, raw, body = "(l";
  for (int i = 0; quoted.size() < 600'000; ++i) {
    const std::string filler(static_cast<size_t>(i % 7), 'x');
    quoted += filler + "\\x00\\\\\\'";
    raw += filler + "\\u0000\\u005c'\xe9";
  }
  body += "S'" + quoted + "'\naV" + raw + "\na";
  for (const size_t size : {size_t{300'000}, size_t{16'383}, size_t{16'384}, size_t{262'144}})
    body += "B" + bytes_of(size, 4) + std::string(size, 'b') + "a";
  for (int i = 0; i < 60'000; ++i) body += "I" + std::to_string(i) + "\nap" + std::to_string(i) + "\n";
  const TemporaryFolder folder;
  for (size_t shift = 0; shift < 12; ++shift) {
    const std::string bytes = "S'" + std::string(shift, 'y') + "'\n0" + body + ".";
    write_file(folder.path() / "p", bytes);
    const RegularFile file(folder.path() / "p", "P");
    const PickleRules rules{"P", 0, "Python"};
    const Pickle seen(file, rules), whole(bytes, "f", "", rules);
    REQUIRE(seen.size() == whole.size());
    size_t different = 0;
    for (Pickle::Ref i = 0; i < whole.size(); ++i) {
      const Pickle::Value &one = seen.at(i), &other = whole.at(i);
      const bool equal =
          one.kind == other.kind && one.text == other.text && one.integer == other.integer && one.items == other.items;
      different += equal ? 0 : 1;
    }
    CHECK(different == 0);
    CHECK(seen.at(2).text.substr(0, 9) == std::string("\0\\'x\0\\'xx", 9));
  }
}

TEST_CASE("containers of protocols 0 and 1 are made from the mark on, and memos have decimal numbers") {
  const Pickle pickle("(lp0\n(S'a'\nI1\n(I2\nltp1\nag1\na(S'k'\nI7\ndp70000\nag70000\na.", "f", "",
                      PickleRules{"P", 0, "Python"});
  const auto& items = pickle.root().items;
  REQUIRE(items.size() == 4);
  CHECK(items[0] == items[1]);
  CHECK(items[2] == items[3]);
  CHECK(pickle.at(items[0]).items.size() == 3);
  CHECK(pickle.at(items[2]).kind == Pickle::Kind::dict);
  CHECK(pickle.at(pickle.at(items[2]).items[1]).integer == 7);
  CHECK(contains(refusal_of_any("(I1\nd."), "a key without a value"));
  CHECK(contains(refusal_of_any("g5\n."), "memo 5"));
  CHECK(contains(refusal_of_any("Np-1\n."), "expected the number of a memo"));
}

TEST_CASE("opcodes that fetch, call or set are refused with their name and place, in any protocol") {
  const auto refused = [](const std::string& bytes, const std::string& part, const std::string& opcode) {
    const std::string refusal = refusal_of_any(bytes);
    INFO(refusal);
    CHECK(contains(refusal, part));
    CHECK(refusal.ends_with("(" + opcode + ")"));
  };
  refused("cos\nsystem\n(S'id'\ntR.", "byte 0: got os.system", "GLOBAL");
  refused("cposix\nsystem\n.", "got posix.system", "GLOBAL");
  refused("(dp0\nS'a'\nc__builtin__\neval\n(S'1'\ntRs.", "byte 10: got __builtin__.eval", "GLOBAL");
  refused("V__import__\n0Vbuiltins\nVeval\n\x93.", "got builtins.eval", "STACK_GLOBAL");
  refused("(S'id'\nios\nsystem\n.", "got os.system", "INST");
  refused("(icollections\nOrderedDict\n.", "nothing was run", "INST");
  refused("(c__builtin__\nlist\no.", "got opcode 0x6f", "OBJ");
  refused("N)\x81.", "got a call of None", "NEWOBJ");
  refused("N)}\x92.", "got a call of None", "NEWOBJ_EX");
  refused("(lI1\nb.", "got a state for a list", "BUILD");
  refused("(ccollections\nOrderedDict\n(tRI1\ntR.", "", "REDUCE");
  refused("\x82\x01.", "got opcode 0x82", "EXT1");
  refused(std::string("\x83\x01\x00.", 4), "got opcode 0x83", "EXT2");
  refused(std::string("\x84\x01\x00\x00\x00.", 6), "got opcode 0x84", "EXT4");
  refused("Psomething\n.", "got opcode 0x50", "PERSID");
  refused("S'x'\nQ.", "persistent id", "BINPERSID");
  refused("\x97.", "got opcode 0x97", "NEXT_BUFFER");
  // Whatever is called with what a call returned: each name is refused where it stands.
  refused("c_codecs\nencode\n(Vx\nVlatin1\ntR0ccopy_reg\n_reconstructor\n.", "got copy_reg._reconstructor", "GLOBAL");
}
