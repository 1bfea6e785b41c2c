// The routes, over real connections.
#include <map>

#include "index/index_options.h"
#include "index/search_index.h"
#include "openapi_check.h"
#include "served.h"
#include "task/predict.h"
#include "task/search.h"

using namespace amae;
using nlohmann::json;

namespace {

/// Scores as `amae predict` gives them, all classes, by label.
std::map<std::string, double> scores_of(const Prediction& prediction) {
  std::map<std::string, double> scores;
  for (const ClassScore& top : prediction.top) scores[top.label] = top.score;
  return scores;
}
std::map<std::string, double> scores_of(const json& answer) {
  std::map<std::string, double> scores;
  for (const json& top : answer.at("top")) scores[top.at("label")] = top.at("score");
  return scores;
}

serve::ServeOptions options_of(const TrainedModel& model) {
  serve::ServeOptions options;
  options.bundle = model.run();
  return options;
}

/// Embeds the data set into a store with a flat index.
std::filesystem::path indexed(const TrainedModel& model) {
  const auto store = model.configs.path() / "store";
  const std::vector<std::filesystem::path> plugins = {AMAE_BUILD_DIR "/plugins"};
  const auto source = source_of_words({(model.configs.path() / "config.yaml").string()}, plugins);
  update_store({bundle_folder(model.run()), store, {}, false, "cpu"}, *source, plugins);
  build_index(EmbeddingStore(store), IndexOptions{}, true);
  return store;
}

json document() { return json::parse(read_file(AMAE_SOURCE_DIR "/framework/serve/openapi.json")); }

void check_documented(const std::string& method, const std::string& path, const http::Answer& answer) {
  static const json api = document();
  const auto found = openapi::problems(api, method, path, answer.status, json::parse(answer.body));
  INFO(method << " " << path << " " << answer.status << ": " << (found.empty() ? "" : found.front()) << "\n"
              << answer.body.substr(0, 300));
  CHECK(found.empty());
}

}  // namespace

TEST_CASE("alone or among others, ten clips get the scores of amae predict; the very bits in deterministic mode") {
  const TrainedModel model;
  const Bundle bundle = load_bundle(bundle_folder(model.run()), *model.registry);
  for (const bool deterministic : {true, false}) {
    serve::ServeOptions options = options_of(model);
    options.batch.max_batch = deterministic ? 1 : 16;
    const Served served(options);
    std::vector<std::jthread> clients;
    std::vector<json> answers(60);
    for (size_t i = 0; i < answers.size(); ++i) {
      clients.emplace_back([&, i] {
        answers[i] = json::parse(
            served.post("/v1/predict?top_k=10", "audio/wav", model.wav_bytes(static_cast<int64_t>(i % 10))).body);
      });
      if (i % 12 == 11) clients.clear();
    }
    clients.clear();
    int64_t joined = 0;
    for (size_t i = 0; i < answers.size(); ++i) {
      const auto expected =
          scores_of(predict_file(bundle, *model.registry, model.wav(static_cast<int64_t>(i % 10)), 10, torch::kCPU));
      const auto got = scores_of(answers[i]);
      REQUIRE(got.size() == 10);
      for (const auto& [label, score] : expected) {
        if (deterministic) CHECK(got.at(label) == score);
        CHECK(std::abs(got.at(label) - score) <= 1e-5);
      }
      joined = std::max<int64_t>(joined, answers[i].at("batch"));
    }
    CHECK((deterministic ? joined == 1 : joined > 1));
  }
}

TEST_CASE("JSON, a form and the file itself are one clip; all that can be asked for is told as documented") {
  const TrainedModel model;
  serve::ServeOptions options = options_of(model);
  options.batch.max_batch = 1;
  const Served served(options);
  const std::string wav = model.wav_bytes(3);
  const http::Answer raw = served.post("/v1/predict?top_k=3&return=waveform,spectrogram,features", "audio/wav", wav);
  check_documented("post", "/v1/predict", raw);
  const json first = served.json(raw);
  CHECK(first.at("top").size() == 3);
  CHECK(first.at("clip").at("format") == "WAV");
  CHECK(first.at("clip").at("samples") == 4000);
  CHECK(first.at("waveform").at("seconds") == 0.5);
  const json& seen = first.at("spectrogram");
  CHECK(seen.at("shape") == std::vector<int64_t>{1, 16, 32});
  CHECK(seen.at("frame_s") == 128.0 / 8000);
  CHECK(seen.at("frequencies_hz").size() == 16);
  REQUIRE(first.at("features").size() >= 2);
  CHECK(first.at("features")[0].at("name") == "stem");

  const json body{
      {"audio", base64(wav)}, {"format", "wav"}, {"top_k", 3}, {"return", {"waveform", "spectrogram", "features"}}};
  const json second = served.json(served.post("/v1/predict", "application/json", body.dump()));
  const std::string form = "--x\r\nContent-Disposition: form-data; name=\"audio\"; filename=\"a.wav\"\r\n\r\n" + wav +
                           "\r\n--x\r\nContent-Disposition: form-data; name=\"top_k\"\r\n\r\n3\r\n--x--\r\n";
  const json third = served.json(served.post("/v1/predict", "multipart/form-data; boundary=x", form));
  CHECK(second.at("top") == first.at("top"));
  CHECK(third.at("top") == first.at("top"));
  CHECK(second.at("spectrogram") == seen);
}

TEST_CASE("what cannot be used is told by the command line's codes, and the server lives on") {
  const TrainedModel model;
  serve::ServeOptions options = options_of(model);
  options.http.max_body_bytes = 1 << 20;
  const Served served(options);
  const std::string wav = model.wav_bytes(1);
  struct Row {
    const char* type;
    std::string body, target;
    int status;
    const char* code;
    const char* field;
  };
  const std::vector<Row> rows = {
      {"audio/wav", "this is a text, not a sound", "/v1/predict", 422, "AUDIO", ""},
      {"audio/wav", wav.substr(0, 100), "/v1/predict", 422, "AUDIO", ""},
      {"audio/flac", wav, "/v1/predict", 400, "REQUEST", "/format"},
      {"application/json", "{\"audio\": \"@@@@\"}", "/v1/predict", 400, "REQUEST", "/audio"},
      {"application/json", "{\"audio\": 7}", "/v1/predict", 400, "REQUEST", "/audio"},
      {"application/json", "{\"audio\": \"\", \"top_k\": 0}", "/v1/predict", 400, "REQUEST", nullptr},
      {"application/json", "{", "/v1/predict", 400, "REQUEST", nullptr},
      {"application/json", std::string(10'000, '['), "/v1/predict", 400, "REQUEST", nullptr},
      {"multipart/form-data", "x", "/v1/predict", 400, "REQUEST", nullptr},
      {"text/plain", wav, "/v1/predict", 415, "TYPE", nullptr},
      {"audio/wav", wav, "/v1/predict?return=attention", 400, "REQUEST", "/return/0"},
      {"audio/wav", wav, "/v1/predict?nonsense=1", 400, "REQUEST", nullptr},
      {"audio/wav", wav, "/v1/search", 404, "ROUTE", nullptr},
      {"application/json", "{\"row\": 1}", "/v1/predict", 400, "REQUEST", nullptr},
      {"audio/wav", std::string(2 << 20, 'x'), "/v1/predict", 413, nullptr, nullptr},
  };
  for (const Row& row : rows) {
    const http::Answer answer = served.post(row.target, row.type, row.body);
    INFO(row.target << " " << row.type << " " << row.body.substr(0, 60) << "\n" << answer.body);
    CHECK(answer.status == row.status);
    const json error = json::parse(answer.body).at("error");
    if (row.code != nullptr) CHECK(error.at("code") == row.code);
    if (row.field != nullptr) CHECK(error.value("field", "") == row.field);
    CHECK_FALSE(error.at("message").get<std::string>().empty());
    if (row.status != 413) check_documented("post", row.target.substr(0, row.target.find('?')), answer);
  }
  CHECK(served.post("/v1/predict", "audio/wav", wav).status == 200);
  // "a text file named .wav": the name that was sent is in the message, and no path of ours
  const std::string form =
      "--x\r\nContent-Disposition: form-data; name=\"audio\"; filename=\"<b>.wav\"\r\n\r\nhello there\r\n--x--\r\n";
  const http::Answer named = served.post("/v1/predict", "multipart/form-data; boundary=x", form);
  CHECK(named.status == 422);
  CHECK(contains(named.body, "<b>.wav"));
  CHECK_FALSE(contains(named.body, "/proc/"));
}

TEST_CASE("each hostile file gets as an upload what amae predict says of it, also a hundred at once") {
  const TrainedModel model;
  const Bundle bundle = load_bundle(bundle_folder(model.run()), *model.registry);
  struct Upload {
    std::string bytes, code;  // empty: it is a sound after all
  };
  std::vector<Upload> uploads;
  for (const char* corpus : {"audio", "npy", "tar"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(AMAE_SOURCE_DIR "/tests/fuzz/corpus/") + corpus)) {
      const auto found =
          problems_of([&] { static_cast<void>(predict_file(bundle, *model.registry, entry.path(), 1, torch::kCPU)); });
      uploads.push_back({read_file(entry.path()), found.empty() ? "" : found.front().code});
    }
  }
  REQUIRE(uploads.size() > 100);
  serve::ServeOptions options = options_of(model);
  options.queue = 1000;
  const Served served(options);
  std::atomic<size_t> next = 0, wrong = 0;
  std::vector<std::jthread> clients;
  for (int i = 0; i < 100; ++i) {
    clients.emplace_back([&] {
      for (size_t number = next++; number < uploads.size(); number = next++) {
        const Upload& upload = uploads[number];
        const http::Answer answer = served.post("/v1/predict", "application/octet-stream", upload.bytes);
        const json body = json::parse(answer.body);
        const bool is_right = upload.bytes.empty()  ? answer.status == 400
                              : upload.code.empty() ? answer.status == 200
                                                    : answer.status == 422 && body["error"]["code"] == upload.code;
        if (!is_right) ++wrong;
      }
    });
  }
  clients.clear();
  CHECK(wrong == 0);
  CHECK(served.post("/v1/predict", "audio/wav", model.wav_bytes(1)).status == 200);
}

TEST_CASE("only what is compiled in is served as a file, whatever the path says") {
  const TrainedModel model;
  const Served served(options_of(model));
  const http::Answer page = served.get("/");
  CHECK(page.status == 200);
  CHECK(contains(page.header("content-type"), "text/html"));
  CHECK(contains(page.header("content-security-policy"), "default-src 'none'"));
  CHECK(page.header("x-content-type-options") == "nosniff");
  for (const char* path : {"/page/..%2f..%2fetc/passwd", "/page/../openapi.json", "/page//etc/passwd", "//etc/passwd",
                           "/page/..\\..\\etc\\passwd", "/page/nothing.js", "/etc/passwd", "/v2/models"}) {
    INFO(path);
    CHECK(served.get(path).status == 404);
  }
  CHECK(served.get("/page/%00").status == 400);
}

TEST_CASE("pages of other sites are not answered, and no header invites them") {
  const TrainedModel model;
  const Served served(options_of(model));
  const std::string wav = model.wav_bytes(1);
  CHECK(served.post("/v1/predict", "audio/wav", wav, "Origin: http://evil.example\r\n").status == 403);
  CHECK(served.post("/v1/predict", "audio/wav", wav, "Origin: null\r\n").status == 403);
  const http::Answer own = served.post("/v1/predict", "audio/wav", wav, "Origin: http://localhost\r\n");
  CHECK(own.status == 200);
  CHECK(own.header("access-control-allow-origin").empty());
  http::Client client(served.port());
  client.send("GET /v1/model HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  CHECK(client.read_answer().status == 403);
  http::Client preflight(served.port());
  preflight.send("OPTIONS /v1/predict HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n");
  const http::Answer answer = preflight.read_answer();
  CHECK(answer.status == 403);
  CHECK(answer.header("access-control-allow-origin").empty());
}

TEST_CASE("a full queue is said at once with Retry-After, and what was taken is answered") {
  const TrainedModel model;
  serve::ServeOptions options = options_of(model);
  options.queue = 2;
  options.workers = 1;
  const Served served(options);
  const std::string wav = model.wav_bytes(1);
  std::atomic<int> good = 0, busy = 0, other = 0;
  std::vector<std::jthread> clients;
  for (int i = 0; i < 32; ++i) {
    clients.emplace_back([&] {
      for (int k = 0; k < 4; ++k) {
        const http::Answer answer = served.post("/v1/predict?return=features", "audio/wav", wav);
        if (answer.status == 200) ++good;
        if (answer.status == 503 && answer.header("retry-after") == "1") ++busy;
        if (answer.status != 200 && answer.status != 503) ++other;
      }
    });
  }
  clients.clear();
  CHECK(good > 0);
  CHECK(busy > 0);
  CHECK(other == 0);
  CHECK(good + busy == 128);
}

TEST_CASE("clients that go away cost no answer, and nothing is left of them") {
  const TrainedModel model;
  serve::ServeOptions options = options_of(model);
  options.workers = 1;
  const Served served(options);
  const std::string wav = model.wav_bytes(1);
  const std::string request =
      "POST /v1/predict?return=features HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "audio/wav\r\nContent-Length: " +
      std::to_string(wav.size()) + "\r\n\r\n" + wav;
  for (int i = 0; i < 200; ++i) {
    http::Client client(served.port());
    client.send(request);
    if (i % 2 == 0) client.reset();
  }
  // All of them are through when no request is in flight any more.
  std::string metrics;
  for (int i = 0; i < 400 && !contains(metrics, "amae_in_flight 0\n"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    metrics = served.get("/metrics").body;
  }
  CHECK(contains(metrics, "amae_in_flight 0\n"));
  CHECK(contains(metrics, "amae_queue_depth 0\n"));
  CHECK(served.post("/v1/predict", "audio/wav", wav).status == 200);
}

TEST_CASE("the model that was loaded serves on when its files are replaced") {
  const TrainedModel model;
  serve::ServeOptions options = options_of(model);
  options.batch.max_batch = 1;
  const Served served(options);
  const std::string wav = model.wav_bytes(1);
  const json before = served.json(served.post("/v1/predict", "audio/wav", wav));
  for (const auto& entry : std::filesystem::directory_iterator(model.run() / "checkpoints" / "last")) {
    if (entry.is_regular_file()) write_file(entry.path(), "gone");
  }
  const json after = served.json(served.post("/v1/predict", "audio/wav", wav));
  CHECK(after.at("top") == before.at("top"));
  CHECK(after.at("model") == before.at("model"));
}

TEST_CASE("health, readiness, figures and the description of the API") {
  const TrainedModel model;
  const Served served(options_of(model));
  CHECK(served.json(served.get("/healthz")).at("status") == "ok");
  CHECK(served.json(served.get("/readyz")).at("status") == "ready");
  served.service().begin_draining();
  CHECK(served.json(served.get("/readyz"), 503).at("status") == "draining");
  CHECK(served.post("/v1/predict", "audio/wav", model.wav_bytes(1)).status == 200);
  const std::string metrics = served.get("/metrics").body;
  CHECK(contains(metrics, "amae_requests_total{route=\"/v1/predict\",status=\"200\"} 1\n"));
  CHECK(contains(metrics, "amae_audio_seconds_total 0.5\n"));
  CHECK(served.json(served.get("/openapi.json")) == document());
  const http::Answer card = served.get("/v1/model");
  check_documented("get", "/v1/model", card);
  CHECK(served.json(card).at("classes").size() == 10);
  CHECK(served.json(card).at("index").is_null());
}

TEST_CASE("an index is listed, played, searched and mapped") {
  const TrainedModel model;
  serve::ServeOptions options = options_of(model);
  options.index = indexed(model);
  const Served served(options);
  const http::Answer items = served.get("/v1/items?offset=90&limit=20");
  check_documented("get", "/v1/items", items);
  CHECK(served.json(items).at("total") == 100);
  CHECK(served.json(items).at("items").size() == 10);
  const std::string label = served.json(served.get("/v1/items/5")).at("label");
  CHECK(served.json(served.get("/v1/items?where=label%3D" + label)).at("total") == 10);
  CHECK(served.get("/v1/items?where=colour%3D1").status == 400);
  CHECK(served.get("/v1/items?limit=0").status == 400);
  CHECK(served.get("/v1/items/100").status == 404);
  const http::Answer audio = served.get("/v1/items/5/audio");
  CHECK(audio.header("content-type") == "audio/flac");
  CHECK(audio.body.starts_with("fLaC"));
  CHECK(served.get("/v1/items/5/picture").body.starts_with("\x89PNG"));

  // As `amae search` answers, for a file and for a row.
  SearchRequest request;
  request.store = options.index;
  request.queries = {model.wav(7)};
  request.k = 5;
  request.device = "cpu";
  const SearchResult expected = search_store(request, {AMAE_BUILD_DIR "/plugins"});
  const http::Answer found = served.post("/v1/search?k=5", "audio/wav", model.wav_bytes(7));
  check_documented("post", "/v1/search", found);
  const json hits = served.json(found).at("hits");
  REQUIRE(hits.size() == 5);
  for (size_t i = 0; i < 5; ++i) {
    CHECK(hits[i].at("row") == expected.found[0].hits[i].row);
    CHECK(std::abs(hits[i].at("score").get<double>() - expected.found[0].hits[i].score) < 1e-5);
  }
  const http::Answer near =
      served.post("/v1/search", "application/json", R"({"row": 7, "k": 99, "where": ["fold!=1"]})");
  check_documented("post", "/v1/search", near);
  for (const json& hit : served.json(near).at("hits")) {
    CHECK(hit.at("row") != 7);
    CHECK(hit.at("fold") != "1");
  }
  CHECK(served.json(near).at("hits").size() == 80 - (model.dataset->folds()[7] != 1 ? 1 : 0));
  const http::Answer row = served.post("/v1/predict", "application/json", R"({"row": 7})");
  check_documented("post", "/v1/predict", row);
  const http::Answer vector = served.post("/v1/embed", "audio/wav", model.wav_bytes(7));
  check_documented("post", "/v1/embed", vector);
  CHECK(served.json(vector).at("embedding").size() == served.json(served.get("/v1/model")).at("width"));

  http::Answer map = served.get("/v1/map");
  for (int i = 0; i < 600 && map.status == 202; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    map = served.get("/v1/map");
  }
  check_documented("get", "/v1/map", map);
  CHECK(served.json(map).at("points").size() == 100);
  CHECK(served.get("/v1/runs").status == 404);
}

TEST_CASE("runs are listed and followed as they grow") {
  const TrainedModel model;
  serve::ServeOptions options = options_of(model);
  options.runs = model.configs.path();
  const Served served(options);
  const http::Answer list = served.get("/v1/runs");
  check_documented("get", "/v1/runs", list);
  const json runs = served.json(list).at("runs");
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].at("id") == "run");
  CHECK(runs[0].at("state") == "finished");
  const http::Answer one = served.get("/v1/runs/run");
  check_documented("get", "/v1/runs/{id}", one);
  CHECK(served.json(one).at("metrics").size() > 3);
  CHECK(served.get("/v1/runs/..%2F..%2Fetc").status == 404);

  http::Client client(served.port());
  client.send("GET /v1/runs/run/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const http::Answer head = client.read_head();
  CHECK(head.status == 200);
  CHECK(head.header("content-type") == "text/event-stream");
  std::string heard;
  bool is_whole = false;
  const std::string last = served.json(one).at("metrics").back().at("name");
  while (!contains(heard, "event: state\ndata: {\"state\":\"finished\"}") ||
         !contains(heard, "\"name\":\"" + last + "\""))
    heard += client.read_chunk(is_whole);
  append_file(model.run() / "metrics.jsonl",
              "{\"wall\":1,\"step\":9,\"epoch\":9,\"split\":\"val\",\"name\":\"brand_new\",\"value\":0.5}\n");
  while (!contains(heard, "brand_new")) heard += client.read_chunk(is_whole);
  CHECK(contains(heard, "event: metric\n"));
}
