#include "io/pickle.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/io/pickle_bytes.h"
#include "tests/problems.h"

using namespace amae;

namespace {

/// "FIELD: MESSAGE" of the refusal; empty when the pickle is read.
std::string pickle_refusal(const std::string& bytes) {
  const auto problems = problems_of([&] { const Pickle pickle(bytes, "file.pt", "data.pkl"); });
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
  const Pickle pickle(pickled::whole("](" + items + "e"), "f", "p");
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
                      "f", "p");
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
  const Pickle pickle(pickled::whole(settings), "f", "p");
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
  pickle_refuses(pickled::whole("I1\n"), "got opcode 0x49");
  pickle_refuses(pickled::whole("cos"), "a name without an end");
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
