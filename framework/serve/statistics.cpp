#include "serve/statistics.h"

#include <fmt/format.h>

#include <iterator>

namespace amae::serve {

void Statistics::Histogram::add(double value) {
  for (size_t i = 0; i < kBounds.size(); ++i) below[i] += value <= kBounds[i] ? 1 : 0;
  ++count;
  sum += value;
}

void Statistics::Histogram::write(std::string& text, const std::string& name, const std::string& labels) const {
  auto out = std::back_inserter(text);
  const std::string before = labels.empty() ? "" : labels + ",", braces = labels.empty() ? "" : "{" + labels + "}";
  for (size_t i = 0; i < kBounds.size(); ++i)
    fmt::format_to(out, "{}_bucket{{{}le=\"{}\"}} {}\n", name, before, kBounds[i], below[i]);
  fmt::format_to(out, "{0}_bucket{{{1}le=\"+Inf\"}} {2}\n{0}_sum{3} {4}\n{0}_count{3} {2}\n", name, before, count,
                 braces, sum);
}

void Statistics::answered(const std::string& route, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{route, status}];
  seconds_[route].add(seconds);
}

void Statistics::computed(int64_t clips, double seconds) {
  const std::lock_guard lock(mutex_);
  ++batches_;
  clips_ += clips;
  inference_.add(seconds);
}

void Statistics::heard(double audio_seconds) {
  const std::lock_guard lock(mutex_);
  audio_seconds_ += audio_seconds;
}

void Statistics::dropped() {
  const std::lock_guard lock(mutex_);
  ++dropped_;
}

std::string Statistics::text(const http::ServerCounts& counts, int64_t in_flight, int64_t waiting) const {
  const std::lock_guard lock(mutex_);
  std::string text;
  auto out = std::back_inserter(text);
  const auto head = [&](const char* name, const char* type, const char* help) {
    fmt::format_to(out, "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  };
  const auto one = [&](const char* name, const char* type, const char* help, auto value) {
    head(name, type, help);
    fmt::format_to(out, "{} {}\n", name, value);
  };
  head("amae_requests_total", "counter", "Requests answered, by route and status.");
  for (const auto& [key, count] : requests_)
    fmt::format_to(out, "amae_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", key.first, key.second, count);
  head("amae_request_seconds", "histogram", "From a request's last byte to its answer.");
  for (const auto& [route, histogram] : seconds_)
    histogram.write(text, "amae_request_seconds", fmt::format("route=\"{}\"", route));
  head("amae_inference_seconds", "histogram", "Of one batch in the model.");
  inference_.write(text, "amae_inference_seconds", "");
  one("amae_batches_total", "counter", "Batches that went through the model.", batches_);
  one("amae_clips_total", "counter", "Clips that went through the model.", clips_);
  one("amae_audio_seconds_total", "counter", "Seconds of sound received.", audio_seconds_);
  one("amae_dropped_total", "counter", "Requests whose client had gone before the model.", dropped_);
  one("amae_in_flight", "gauge", "Requests being worked on.", in_flight);
  one("amae_queue_depth", "gauge", "Clips that wait for the model.", waiting);
  one("amae_connections", "gauge", "Connections open.", counts.connections);
  one("amae_connections_total", "counter", "Connections accepted.", counts.accepted);
  one("amae_timeouts_total", "counter", "Connections closed for being too slow.", counts.timeouts);
  one("amae_refused_total", "counter", "Requests and connections that were none, or too many.", counts.refused);
  return text;
}

}  // namespace amae::serve
