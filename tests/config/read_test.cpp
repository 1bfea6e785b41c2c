#include "config/read.h"

#include <filesystem>

#include "config/load.h"
#include "support.h"

namespace amae::config {
namespace {

struct TrainOptions {
  int64_t epochs = 10;
  double lr = 0.1;
  std::string optimizer = "adamw";
  double warmup_s = 0.0;
  bool amp = false;
  void describe(Fields& f) {
    f.add("epochs", epochs, "passes over the data").range(1, 100000);
    f.add("lr", lr, "learning rate").range(0, 10);
    f.add("optimizer", optimizer, "which one").choices({"adamw", "sgd", "lamb"});
    f.add("warmup", warmup_s, "linear warm-up").unit("s").min(0);
    f.add("amp", amp, "mixed precision");
  }
};

struct Options {
  std::string title;
  int64_t rate_hz = 16000;
  int64_t memory = 0;
  double share = 0.5;
  double gain_db = 0;
  int64_t seed = 0;
  std::vector<int64_t> sizes{1, 2};
  std::vector<double> weights;
  std::vector<std::string> tags;
  std::string data_dir;
  std::vector<std::string> files;
  Component model{"resnet", "", nullptr, nullptr};
  std::vector<Component> transforms;
  TrainOptions train;
  void describe(Fields& f) {
    f.add("title", title, "headline");
    f.add("rate", rate_hz, "sample rate").unit("Hz").range(1000, 20e6);
    f.add("memory", memory, "cache").unit("bytes").min(0);
    f.add("share", share, "part").unit("fraction").range(0, 1);
    f.add("gain", gain_db, "gain").unit("dB");
    f.add("seed", seed, "seed");
    f.add("sizes", sizes, "layer sizes").range(1, 512);
    f.add("weights", weights, "class weights").min(0);
    f.add("tags", tags, "tags");
    f.add("data_dir", data_dir, "folder").path();
    f.add("files", files, "files").path();
    f.add("model", model, "encoder").kind("model");
    f.add("transforms", transforms, "chain").kind("transform");
    f.section("train", train);
  }
};

std::vector<Problem> read(const std::string& text, Options& options, const std::vector<std::string>& overrides = {},
                          const std::string& source = "<text>") {
  const NodePtr root = load_text(text, source, overrides);
  Fields fields;
  options.describe(fields);
  std::vector<Problem> problems;
  read_fields(root.get(), fields, "", root->mark, {}, problems);
  return problems;
}

Options accepted(const std::string& text) {
  Options options;
  const auto problems = read(text, options);
  INFO(text << text_of(problems));
  REQUIRE(problems.empty());
  return options;
}

Problem only(const std::string& text) {
  Options options;
  const auto problems = read(text, options);
  INFO(text << text_of(problems));
  REQUIRE(problems.size() == 1);
  return problems.front();
}

}  // namespace

TEST_CASE("what is not in the tree keeps its default, what is gets read") {
  const Options o = accepted("title: hello\nseed: -3\nsizes: [4, 5]\nweights: 2\ntrain: {lr: 1e-4, amp: true}\n");
  CHECK(o.title == "hello");
  CHECK(o.seed == -3);
  CHECK(o.sizes == std::vector<int64_t>{4, 5});
  CHECK(o.weights == std::vector<double>{2});
  CHECK(o.train.lr == 1e-4);
  CHECK(o.train.amp);
  CHECK(o.train.epochs == 10);
  CHECK(o.rate_hz == 16000);
  CHECK(accepted("train:\n").train.epochs == 10);
  CHECK(accepted("").model.name == "resnet");
}

TEST_CASE("Y02: an unknown key names its path, its line and the nearest known key") {
  const Problem p = only("title: x\ntrain:\n  epochs: 2\n  optimzer: sgd\n");
  CHECK(p.code == "CFG-KEY");
  CHECK(p.where == "<text>:4:3");
  CHECK(p.field == "train.optimzer");
  CHECK(p.message == "got unknown key, expected one of epochs, lr, optimizer, warmup, amp; did you mean optimizer?");
  CHECK(contains(only("zzzzzz: 1\n").message, "seed, sizes, weights, …"));
  CHECK(contains(only("epochs: 1\n").message, "did you mean train.epochs?"));
  CHECK(contains(only("train.epochs: 1\n").message, "nested maps"));
}

TEST_CASE("Y04: values of the wrong type are refused as written") {
  struct Row {
    const char* text;
    const char* code;
    const char* message;
  };
  const std::vector<Row> rows{
      {"train: {epochs: 010}", "CFG-TYPE", "got 010, expected an integer in 1..100000"},
      {"train: {epochs: yes}", "CFG-TYPE", "got yes, expected an integer in 1..100000"},
      {"train: {epochs: '5'}", "CFG-TYPE", "got \"5\", expected an integer in 1..100000; remove the quotes"},
      {"train: {epochs: -1}", "CFG-RANGE", "got -1, expected an integer in 1..100000"},
      {"train: {epochs: 3.0}", "CFG-TYPE", "got 3.0, expected an integer in 1..100000"},
      {"train: {epochs: 1e3}", "CFG-TYPE", "got 1e3, expected an integer in 1..100000"},
      {"train: {epochs: 1_000}", "CFG-TYPE", "got 1_000, expected an integer in 1..100000"},
      {"train: {epochs: 0x10}", "CFG-TYPE", "got 0x10, expected an integer in 1..100000"},
      {"train: {epochs: +5}", "CFG-TYPE", "got +5, expected an integer in 1..100000"},
      {"train: {epochs: 99999999999999999999}", "CFG-RANGE",
       "got 99999999999999999999, expected an integer in 1..100000"},
      {"train: {epochs: }", "CFG-TYPE", "got nothing, expected an integer in 1..100000"},
      {"train: {epochs: [1]}", "CFG-TYPE", "got a list, expected an integer in 1..100000"},
      {"seed: 9223372036854775808", "CFG-RANGE", "got 9223372036854775808, expected an integer"},
      {"train: {lr: .nan}", "CFG-TYPE", "got .nan, expected a number in 0..10"},
      {"train: {lr: .inf}", "CFG-TYPE", "got .inf, expected a number in 0..10"},
      {"train: {lr: nan}", "CFG-TYPE", "got nan, expected a number in 0..10"},
      {"train: {lr: inf}", "CFG-TYPE", "got inf, expected a number in 0..10"},
      {"train: {lr: 1e400}", "CFG-RANGE", "got 1e400, expected a number in 0..10; it does not fit a double"},
      {"train: {lr: '0,5'}", "CFG-TYPE", "got \"0,5\", expected a number in 0..10; remove the quotes"},
      {"train: {lr: 00.5}", "CFG-TYPE", "got 00.5, expected a number in 0..10"},
      {"train: {lr: '1e-4'}", "CFG-TYPE", "got \"1e-4\", expected a number in 0..10; remove the quotes"},
      {"train: {amp: yes}", "CFG-TYPE", "got yes, expected true or false"},
      {"train: {amp: 1}", "CFG-TYPE", "got 1, expected true or false"},
      {"train: {amp: 'true'}", "CFG-TYPE", "got \"true\", expected true or false"},
      {"train: {optimizer: adamx}", "CFG-CHOICE", "got adamx, expected one of adamw, sgd, lamb; did you mean adamw?"},
      {"train: 5", "CFG-TYPE", "got 5, expected a map"},
      {"train: [5]", "CFG-TYPE", "got a list, expected a map"},
      {"title: {a: 1}", "CFG-TYPE", "got a map, expected text"},
      {"title:", "CFG-TYPE", "got nothing, expected text; write \"\" for empty text"},
      {"sizes: {a: 1}", "CFG-TYPE", "got a map, expected a list of integers in 1..512"},
      {"sizes:", "CFG-TYPE", "got nothing, expected a list of integers in 1..512; write [] for an empty one"},
      {"sizes: [1, 513]", "CFG-RANGE", "got 513, expected an integer in 1..512"},
      {"rate: 16 khz", "CFG-TYPE",
       "got 16 khz, expected an integer in 1000..20000000 Hz; its suffixes are Hz, kHz, MHz"},
      {"rate: 16.0001 kHz", "CFG-TYPE", "got 16.0001 kHz, expected an integer in 1000..20000000 Hz"},
      {"rate: 999 MHz", "CFG-RANGE", "got 999 MHz, expected an integer in 1000..20000000 Hz"},
      {"seed: 5 s", "CFG-TYPE", "got 5 s, expected an integer"},
      {"share: 101%", "CFG-RANGE", "got 101%, expected a number in 0..1"},
      {"gain: x", "CFG-TYPE", "got x, expected a number of dB"},
      {"weights: [-1]", "CFG-RANGE", "got -1, expected a number >= 0"},
  };
  for (const Row& row : rows) {
    const Problem p = only(row.text);
    INFO(row.text);
    CHECK(p.code == row.code);
    CHECK(p.message == row.message);
  }
  CHECK(only("sizes: [1, 513]").field == "sizes.1");
  CHECK(only("sizes: [1, 513]").where == "<text>:1:12");
}

TEST_CASE("numbers are read to the last bit and to the last integer") {
  CHECK(accepted("seed: 9223372036854775807").seed == std::numeric_limits<int64_t>::max());
  CHECK(accepted("seed: -9223372036854775808").seed == std::numeric_limits<int64_t>::min());
  CHECK(accepted("gain: -0.30000000000000004").gain_db == -0.30000000000000004);
  CHECK(accepted("gain: 1E+3").gain_db == 1000.0);
  CHECK(accepted("gain: .5").gain_db == 0.5);
  CHECK(accepted("gain: 0").gain_db == 0.0);
  CHECK(accepted("gain: 4.9e-324").gain_db == 4.9e-324);
}

TEST_CASE("units take suffixes and stay exact") {
  CHECK(accepted("rate: 16 kHz").rate_hz == 16000);
  CHECK(accepted("rate: 22.05kHz").rate_hz == 22050);
  CHECK(accepted("rate: 2.4 MHz").rate_hz == 2400000);
  CHECK(accepted("rate: 8000 Hz").rate_hz == 8000);
  CHECK(accepted("memory: 4 GiB").memory == int64_t{4} << 30);
  CHECK(accepted("memory: 1.5KiB").memory == 1536);
  CHECK(accepted("memory: 2 MB").memory == 2000000);
  CHECK(accepted("share: 10%").share == 0.1);
  CHECK(accepted("gain: -3 dB").gain_db == -3.0);
  CHECK(accepted("train: {warmup: 25 ms}").train.warmup_s == 0.025);
  CHECK(accepted("train: {warmup: 40us}").train.warmup_s == 40e-6);
  CHECK(accepted("train: {warmup: 2 min}").train.warmup_s == 120.0);
  CHECK(accepted("train: {warmup: 1.5h}").train.warmup_s == 5400.0);
}

TEST_CASE("Y05: a required key that is missing is told at its parent's line") {
  struct Inner {
    int64_t width = 0;
    void describe(Fields& f) { f.add("width", width, "width").required().range(1, 8); }
  };
  Inner inner;
  std::string name;
  const auto missing = [&](const std::string& text) {
    Fields fields;
    fields.add("name", name, "name").required();
    fields.section("inner", inner);
    const NodePtr root = load_text(text, "f.yaml", {});
    std::vector<Problem> problems;
    read_fields(root.get(), fields, "top", root->mark, {}, problems);
    return problems;
  };
  const auto empty = missing("");
  REQUIRE(empty.size() == 2);
  CHECK(empty[0].code == "CFG-MISSING");
  CHECK(empty[0].where == "f.yaml:1:1");
  CHECK(empty[0].field == "top.name");
  CHECK(empty[1].field == "top.inner.width");
  CHECK(empty[1].message == "got no value, expected an integer in 1..8");
  const auto inside = missing("name: x\ninner:\n  # width: 3\n");
  REQUIRE(inside.size() == 1);
  CHECK(inside[0].where == "f.yaml:2:1");
  CHECK(missing("name: x\ninner: {width: 3}\n").empty());
  CHECK(missing("name: ~\ninner: {width: ~}\n").size() == 2);

  std::vector<Problem> problems;
  Fields fields;
  inner.describe(fields);
  read_fields(nullptr, fields, "model", {"f.yaml", 7, 3}, {}, problems);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].where == "f.yaml:7:3");
}

TEST_CASE("all mistakes of a file are told at once, each at its place") {
  Options options;
  const auto p = read(
      "titel: x\n"
      "rate: 010\n"
      "sizes: [1, two]\n"
      "model: {depth: 50}\n"
      "train:\n"
      "  epochs: -1\n"
      "  optimzer: sgd\n"
      "  amp: yes\n"
      "  lr: 1e400\n",
      options);
  INFO(text_of(p));
  REQUIRE(p.size() == 8);
  const std::vector<std::vector<std::string>> expected{
      {"CFG-KEY", "<text>:1:1", "titel"},           {"CFG-TYPE", "<text>:2:7", "rate"},
      {"CFG-TYPE", "<text>:3:12", "sizes.1"},       {"CFG-MISSING", "<text>:4:1", "model.name"},
      {"CFG-RANGE", "<text>:6:11", "train.epochs"}, {"CFG-KEY", "<text>:7:3", "train.optimzer"},
      {"CFG-TYPE", "<text>:8:8", "train.amp"},      {"CFG-RANGE", "<text>:9:7", "train.lr"}};
  for (size_t i = 0; i < p.size(); ++i) {
    CHECK(std::vector<std::string>{p[i].code, p[i].where, p[i].field} == expected[i]);
  }
  CHECK(options.rate_hz == 16000);
  CHECK(options.sizes == std::vector<int64_t>{1, 2});
}

TEST_CASE("components get name, id and node; a bare scalar is the name alone") {
  const Options o = accepted(
      "model: vit\n"
      "transforms:\n"
      "  - name: mel_spectrogram\n"
      "    n_fft: 1024\n"
      "  - {name: gain, id: loud}\n"
      "  - crop\n");
  CHECK(o.model.name == "vit");
  REQUIRE(o.model.node != nullptr);
  CHECK(o.model.node->kind == Node::Kind::map);
  CHECK(o.model.node->mark.text() == "<text>:1:8");
  REQUIRE(o.transforms.size() == 3);
  CHECK(o.transforms[0].name == "mel_spectrogram");
  CHECK(scalar_at(*o.transforms[0].node, {"n_fft"}) == "1024");
  CHECK(o.transforms[1].id == "loud");
  CHECK(o.transforms[2].name == "crop");
  CHECK(accepted("transforms: crop").transforms.size() == 1);
  CHECK(accepted("model: ~").model.name.empty());

  CHECK(only("model: {depth: 1}").code == "CFG-MISSING");
  CHECK(only("model: [resnet]").code == "CFG-TYPE");
  CHECK(only("model: {name: [a]}").field == "model.name");
  CHECK(only("transforms: {name: crop}").code == "CFG-TYPE");
  CHECK(only("transforms: [{name: a, id: x}, {name: b, id: x}]").code == "CFG-DUPLICATE");
  CHECK(only("transforms: [{name: a, id: x.y}]").field == "transforms.0.id");
  CHECK(only("transforms: [~]").field == "transforms.0");
}

TEST_CASE("a component's own name and id are not options") {
  int64_t n_fft = 0;
  Fields fields;
  fields.add("n_fft", n_fft, "window").range(1, 4096);
  const NodePtr root = load_text("name: mel\nid: m\nn_fft: 512\nnam: x\n", "f.yaml", {});
  std::vector<Problem> problems;
  read_fields(root.get(), fields, "transforms.m", root->mark, {"name", "id"}, problems);
  INFO(text_of(problems));
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].field == "transforms.m.nam");
  CHECK(contains(problems[0].message, "expected one of n_fft; did you mean name?"));
  CHECK(n_fft == 512);
}

TEST_CASE("paths are relative to the file that names them, or to the working folder from arguments") {
  namespace fs = std::filesystem;
  Options options;
  const auto problems = read("data_dir: ../data\nfiles: [a.wav, /b.wav]\n", options, {}, "/conf/runs/x.yaml");
  CHECK(problems.empty());
  CHECK(options.data_dir == "/conf/data");
  CHECK(options.files == std::vector<std::string>{"/conf/runs/a.wav", "/b.wav"});
  read("data_dir: x\n", options, {"data_dir=../here"}, "/conf/runs/x.yaml");
  CHECK(options.data_dir == (fs::current_path() / "../here").lexically_normal().string());
  read("data_dir: x\n", options, {}, "conf/x.yaml");
  CHECK(options.data_dir == (fs::current_path() / "conf/x").string());
  read("data_dir: ''\n", options, {}, "/conf/x.yaml");
  CHECK(options.data_dir.empty());
}

TEST_CASE("mark_of finds the deepest part that exists") {
  const NodePtr root = load_text("a:\n  b: 1\nlist:\n  - {name: x, p: 2}\n", "f.yaml", {"c.d=1"});
  CHECK(mark_of(*root, "").text() == "f.yaml:1:1");
  CHECK(mark_of(*root, "a").text() == "f.yaml:1:1");
  CHECK(mark_of(*root, "a.b").text() == "f.yaml:2:6");
  CHECK(mark_of(*root, "a.b.c").text() == "f.yaml:2:6");
  CHECK(mark_of(*root, "list.x.p").text() == "f.yaml:4:18");
  CHECK(mark_of(*root, "list.0.p").text() == "f.yaml:4:18");
  CHECK(mark_of(*root, "list.y").text() == "f.yaml:3:1");
  CHECK(mark_of(*root, "c.d").text() == "<argument 1>");
}

}  // namespace amae::config
