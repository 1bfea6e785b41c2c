#include "serve/service.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>

#include "amae/version.h"
#include "base/embedded.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"
#include "data/threads.h"
#include "http/bad_request.h"
#include "serve/clock.h"
#include "serve/embed_clip.h"
#include "serve/errors.h"
#include "task/data_target.h"
#include "task/session.h"

namespace amae::served_files {
std::span<const EmbeddedFile> files();
}

namespace amae::serve {

using nlohmann::ordered_json;

namespace {

constexpr uint64_t kMostDecoded = 16;  // bytes of samples for one of the largest body
constexpr int64_t kDefaultK = 10, kDefaultLimit = 50, kMostItems = 500;
constexpr const char* kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

http::Response json_response(const ordered_json& json) {
  return {200, "application/json", json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n"};
}

std::string_view embedded(const std::string& name) {
  for (const EmbeddedFile& file : served_files::files()) {
    if (file.name == name) return file.content;
  }
  return {};
}

std::string type_of(const std::string& name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "application/json";
}

http::Response not_found(const std::string& path) {
  return {404, "application/json",
          http::error_json("ROUTE", fmt::format("got {}, which is no route; see /openapi.json", printable(path)))};
}

/// The whole number of a query parameter. Throws http::BadRequest.
int64_t whole(const http::Request& request, const std::string& name, int64_t low, int64_t high, int64_t when_absent) {
  for (const auto& [key, text] : request.query) {
    if (key != name) continue;
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
      throw http::BadRequest("/" + name, fmt::format("got '{}', expected {} to {}", printable(text), low, high));
    return value;
  }
  return when_absent;
}

const std::array<const char*, 3> kClipRoutes = {"/v1/predict", "/v1/embed", "/v1/search"};

bool is_clip_route(const std::string& path) {
  return std::find(kClipRoutes.begin(), kClipRoutes.end(), path) != kClipRoutes.end();
}

http::ClipRules rules_of(const std::string& path, bool has_index) {
  if (path == "/v1/predict") return {{"top_k", "return", "mask_ratio"}, has_index};
  if (path == "/v1/search") return {{"k", "where"}, has_index};
  return {{}, has_index};
}

}  // namespace

/// A request's answer, counted.
struct Service::Reply {
  Reply(Service& owner, std::string name, std::shared_ptr<http::Exchange> to)
      : service(owner), route(std::move(name)), exchange(std::move(to)) {}

  void send(http::Response response) {
    service.statistics_.answered(route, response.status, ms_since(begin) / 1000);
    exchange->send(std::move(response));
  }
  void fail(const std::exception_ptr& why) {
    if (why == nullptr) return service.statistics_.dropped();
    send(error_response(why));
  }

  Service& service;
  std::string route;
  std::shared_ptr<http::Exchange> exchange;
  Clock::time_point begin = Clock::now();
};

/// One of the requests that may be worked on at a time.
struct Service::Slot {
  explicit Slot(std::atomic<int64_t>& taken) : count(taken) {}
  ~Slot() { --count; }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  std::atomic<int64_t>& count;
};

Service::Service(const ServeOptions& options, const std::vector<std::filesystem::path>& plugin_path)
    : options_(options), registry_(load_registry(plugin_path)) {
  const std::filesystem::path folder = bundle_folder(options.bundle);
  bundle_ = load_bundle(folder, *registry_);
  device_ = pick_device(options.device);
  bundle_.model->to(device_);
  model_ = {{"id", bundle_.id}, {"name", bundle_.info.model.name}, {"sha256", sha256_file(folder / "SHA256SUMS")}};
  if (!options.index.empty()) {
    index_ =
        std::make_unique<IndexService>(options.index, bundle_identity(folder), bundle_.info.input.domain, *registry_);
    embed_options_.chunk_s = index_->store().manifest().maker.chunk_s;
    embed_options_.hop_s = index_->store().manifest().maker.hop_s;
  }
  embed_options_.workers = 1;
  if (!options.runs.empty()) runs_ = std::make_unique<RunService>(options.runs);
  front_ends_ = std::make_unique<FrontEnds>(bundle_, *registry_);
  const auto threads = options.workers > 0 ? static_cast<int>(options.workers) : data_threads();
  workers_ = std::make_unique<Workers>(threads, [] {
    use_one_core_in_this_thread();
    give_way_to_listening();
  });
  owner_ = std::make_unique<ModelOwner>(
      bundle_, device_, options.batch, [this](int64_t clips, double seconds) { statistics_.computed(clips, seconds); });
  predictor_ = std::make_unique<Predictor>(bundle_, *front_ends_, *owner_, *workers_, statistics_);
  model_page_ = json_response(model_json()).body;
}

Service::~Service() {
  workers_->finish();
  owner_.reset();
}

std::string Service::about() const {
  return fmt::format(
      "model {} {}, {}{}{}", bundle_.info.model.name, bundle_.id,
      bundle_.info.classes.empty() ? "without classes" : fmt::format("{} classes", bundle_.info.classes.size()),
      index_ ? fmt::format(", index of {} items", index_->store().rows()) : "",
      runs_ ? ", runs in " + options_.runs.string() : "");
}

ordered_json Service::model_json() const {
  const BundleInfo& info = bundle_.info;
  int64_t parameters = 0;
  for (const torch::Tensor& parameter : bundle_.model->parameters()) parameters += parameter.numel();
  const auto number = [](double value) { return value > 0 ? ordered_json(value) : ordered_json(nullptr); };
  const int64_t frames = info.input.shape.back();
  ordered_json transforms = ordered_json::array();
  for (const Component& transform : info.transforms) transforms.push_back(component_json(transform));
  ordered_json json = model_;
  json.update(
      {{"task", info.task},
       {"classes", info.classes},
       {"multi_label", info.multi_label},
       {"width", bundle_.model->encoder().width()},
       {"parameters", parameters},
       {"input",
        {{"domain", to_string(info.input.domain)},
         {"rate_hz", number(info.input.rate_hz)},
         {kChannelsField,
          info.input.domain == Domain::iq ? ordered_json(1) : number(static_cast<double>(info.input.shape[0]))},
         {"seconds", number(info.input.rate_hz > 0 ? static_cast<double>(frames) / info.input.rate_hz : 0)}}},
       {"transforms", transforms},
       {"model", component_json(info.model)},
       {"returns", returns_of(bundle_)},
       {"device", device_.str()},
       {"deterministic", options_.batch.max_batch == 1},
       {"amae", AMAE_VERSION},
       {"limits",
        {{"body_bytes", options_.http.max_body_bytes}, {"queue", options_.queue}, {"batch", options_.batch.max_batch}}},
       {"index", index_ ? index_->about() : ordered_json(nullptr)},
       {"runs", runs_ != nullptr}});
  return json;
}

IndexService& Service::index() const {
  if (index_) return *index_;
  throw InputError("ROUTE", "", "", "this server has no index; start it with --index STORE");
}

RunService& Service::runs() const {
  if (runs_) return *runs_;
  throw InputError("ROUTE", "", "", "this server shows no runs; start it with --runs FOLDER");
}

std::string Service::route_of(const http::Request& request) const {
  const std::string& path = request.path;
  for (const char* known : {"/v1/predict", "/v1/embed", "/v1/search", "/v1/model", "/v1/items", "/v1/map", "/v1/runs",
                            "/healthz", "/readyz", "/metrics", "/openapi.json"}) {
    if (path == known || path.starts_with(std::string(known) + "/")) return known;
  }
  return path == "/" || path.starts_with("/page/") ? "/" : "other";
}

http::Response Service::busy() const {
  // Made once: under overload it is what is answered most.
  static const std::string body =
      http::error_json("BUSY", "more requests wait than this server takes", "", "try again");
  return {503, "application/json", body, {{"Retry-After", "1"}}};
}

std::shared_ptr<Service::Slot> Service::take_slot() {
  if (++in_flight_ <= options_.queue) return std::make_shared<Slot>(in_flight_);
  --in_flight_;
  return nullptr;
}

// A page of another site must not reach a server on this machine: neither by a request of its own (Origin) nor by a
// name that it makes point here (Host).
std::optional<http::Response> Service::refused_by_origin(const http::Request& head) const {
  const std::string& host = head.header("host");
  const size_t colon = host.rfind(':');
  const bool has_port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  const std::string name = has_port ? host.substr(0, colon) : host;
  const auto lower = [](std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
  };
  const std::string known = lower(name);
  // An address is no name: nobody can make it point elsewhere.
  const bool is_address = known.starts_with('[') || known.find_first_not_of("0123456789.") == std::string::npos;
  const bool is_allowed = std::any_of(options_.allowed_hosts.begin(), options_.allowed_hosts.end(),
                                      [&](const std::string& allowed) { return lower(allowed) == known; });
  if (!is_address && !is_allowed && known != "localhost" && known != lower(options_.http.host)) {
    return http::Response{
        403, "application/json",
        http::error_json("HOST", fmt::format("got Host {}, expected an address or localhost", printable(host)), "",
                         "name it with --allow-host")};
  }
  const std::string& origin = head.header("origin");
  if (origin.empty() || origin == "http://" + host || origin == "https://" + host) return std::nullopt;
  return http::Response{403, "application/json",
                        http::error_json("ORIGIN", "requests of other sites are not answered")};
}

std::optional<http::Response> Service::admit(const http::Request& head) {
  const auto refuse = [&](http::Response response) {
    statistics_.answered(route_of(head), response.status, 0);
    return response;
  };
  if (auto refused = refused_by_origin(head)) return refuse(*refused);
  const bool is_post = is_clip_route(head.path), is_get = head.method == "GET" || head.method == "HEAD";
  if (is_post ? head.method != "POST" : !is_get) {
    const char* allowed = is_post ? "POST" : "GET, HEAD";
    return refuse({405,
                   "application/json",
                   http::error_json("METHOD", fmt::format("got {}, expected {}", printable(head.method), allowed)),
                   {{"Allow", allowed}}});
  }
  if (is_post && in_flight_ >= options_.queue) return refuse(busy());
  return std::nullopt;
}

void Service::handle(http::Request request, std::shared_ptr<http::Exchange> exchange) {
  auto reply = std::make_shared<Reply>(*this, route_of(request), std::move(exchange));
  if (is_clip_route(request.path)) {
    auto slot = take_slot();
    if (!slot) return reply->send(busy());
    auto shared = std::make_shared<http::Request>(std::move(request));
    auto announced = std::make_shared<ModelOwner::Announced>(*owner_);
    workers_->add([this, shared, reply, slot, announced] {
      if (reply->exchange->gone()) return reply->fail(nullptr);
      try {
        if (shared->path == "/v1/predict") return predict(std::move(*shared), reply, slot, announced);
        embed_or_search(std::move(*shared), reply, slot, shared->path == "/v1/search");
      } catch (...) {
        reply->fail(std::current_exception());
      }
    });
    return;
  }
  const bool reads_files = request.path.starts_with("/v1/") && request.path != "/v1/model";
  auto shared = std::make_shared<http::Request>(std::move(request));
  const auto answer = [this, shared, reply] {
    try {
      if (shared->path.starts_with("/v1/runs/") && shared->path.ends_with("/events")) return follow(*shared, *reply);
      reply->send(read_only(*shared));
    } catch (...) {
      reply->fail(std::current_exception());
    }
  };
  if (reads_files) {
    workers_->add(answer);
  } else {
    answer();
  }
}

http::Response Service::read_only(const http::Request& request) {
  const std::string& path = request.path;
  if (path == "/healthz") return {200, "application/json", "{\"status\": \"ok\"}\n"};
  if (path == "/readyz") {
    return is_draining_ ? http::Response{503, "application/json", "{\"status\": \"draining\"}\n"}
                        : http::Response{200, "application/json", "{\"status\": \"ready\"}\n"};
  }
  if (path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8",
            statistics_.text(counts_ ? counts_() : http::ServerCounts{}, in_flight_, owner_->waiting())};
  }
  if (path == "/v1/model") return {200, "application/json", model_page_};
  if (path == "/" || path.starts_with("/page/") || path == "/openapi.json") {
    const std::string name = path == "/" ? "page/index.html" : path.substr(1);
    const std::string_view content = embedded(name);
    if (content.empty()) return not_found(path);
    return {
        200,
        type_of(name),
        std::string(content),
        {{"Content-Security-Policy", kPagePolicy}, {"Referrer-Policy", "no-referrer"}, {"Cache-Control", "no-cache"}}};
  }
  if (path == "/v1/items") {
    std::vector<std::string> where;
    for (const auto& [key, value] : request.query) {
      if (key == "where") where.push_back(value);
    }
    return json_response(index().items(whole(request, "offset", 0, 1LL << 40, 0),
                                       whole(request, "limit", 1, kMostItems, kDefaultLimit), where));
  }
  if (path.starts_with("/v1/items/")) return item_part(path.substr(std::string("/v1/items/").size()));
  if (path == "/v1/map") return index().map();
  if (path == "/v1/runs") return json_response(runs().list());
  if (path.starts_with("/v1/runs/")) return json_response(runs().run(path.substr(std::string("/v1/runs/").size())));
  return not_found(path);
}

/// "12", "12/audio" or "12/picture".
http::Response Service::item_part(const std::string& rest) {
  int64_t row = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), row);
  const std::string part(end, rest.data() + rest.size());
  if (error != std::errc() || row < 0)
    throw InputError("QUERY", "", "/row", fmt::format("got '{}', expected a row", printable(rest)));
  if (part.empty()) return json_response(index().item(row));
  if (part == "/audio") return index().audio(row);
  if (part == "/picture") return index().picture(row);
  return not_found("/v1/items/" + rest);
}

void Service::follow(const http::Request& request, Reply& reply) {
  const size_t begin = std::string("/v1/runs/").size(), end = request.path.size() - std::string("/events").size();
  int64_t after = 0;
  const std::string& last = request.header("last-event-id");
  std::from_chars(last.data(), last.data() + last.size(), after);
  runs().follow(request.path.substr(begin, end - begin), after, reply.exchange);
  statistics_.answered(reply.route, 200, 0);
}

Clip Service::clip_of(const http::ClipRequest& request, Timing& timing) const {
  const auto begin = Clock::now();
  Clip clip = request.row ? Clip{index().signal(*request.row), "ITEM", fmt::format("item {}", *request.row)}
                          : read_clip(request, kMostDecoded * options_.http.max_body_bytes);
  timing.decode_ms = ms_since(begin);
  return clip;
}

void Service::predict(http::Request request, std::shared_ptr<Reply> reply, std::shared_ptr<Slot> slot,
                      std::shared_ptr<ModelOwner::Announced> announced) {
  Timing timing{reply->begin};
  http::ClipRequest clip_request =
      http::read_clip_request(std::move(request), rules_of("/v1/predict", index_ != nullptr));
  predictor_->check(clip_request);
  const Clip clip = clip_of(clip_request, timing);
  predictor_->start(
      std::move(clip_request), clip, timing, std::move(announced), [reply] { return reply->exchange->gone(); },
      [this, reply, slot](const ordered_json& rest) {
        ordered_json json{{"model", model_}};
        json.update(rest);
        reply->send(json_response(json));
      },
      [reply, slot](const std::exception_ptr& why) { reply->fail(why); });
}

void Service::embed_or_search(http::Request request, std::shared_ptr<Reply> reply, std::shared_ptr<Slot> slot,
                              bool searches) {
  struct Work {
    http::ClipRequest request;
    Clip clip;
    Timing timing;
    torch::Tensor vector;
  };
  auto work = std::make_shared<Work>();
  work->timing.begin = reply->begin;
  if (searches) static_cast<void>(index());
  work->request =
      http::read_clip_request(std::move(request), rules_of(searches ? "/v1/search" : "/v1/embed", index_ != nullptr));
  const auto answer = [this, work, reply, slot, searches] {
    try {
      ordered_json json{{"model", model_}};
      json[kClipField] = work->request.row && searches ? ordered_json(nullptr) : clip_json(work->clip);
      const int64_t k = work->request.k.value_or(kDefaultK);
      if (!searches) {
        json["dimension"] = work->vector.size(1);
        json["embedding"] = std::vector<float>(work->vector.const_data_ptr<float>(),
                                               work->vector.const_data_ptr<float>() + work->vector.numel());
      } else {
        json.update(work->request.row ? index_->nearest_to_row(*work->request.row, k, work->request.where)
                                      : index_->nearest_to(work->vector, k, work->request.where));
      }
      json["timing_ms"] = work->timing.json();
      reply->send(json_response(json));
    } catch (...) {
      reply->fail(std::current_exception());
    }
  };
  if (searches && work->request.row) return answer();
  work->clip = clip_of(work->request, work->timing);
  work->request.bytes = work->request.second = "";
  const auto since = Clock::now();
  owner_->add_alone([this, work, reply, slot, answer, since] {
    if (reply->exchange->gone()) return reply->fail(nullptr);
    work->timing.queue_ms = ms_since(since);
    const auto begin = Clock::now();
    try {
      work->vector = embed_clip(bundle_, *registry_, work->clip, embed_options_, device_).contiguous();
      work->timing.model_ms = ms_since(begin);
      workers_->add_first(answer);
    } catch (...) {
      reply->fail(std::current_exception());
    }
  });
}

}  // namespace amae::serve
