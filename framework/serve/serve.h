// amae serve: a model, an index and runs over HTTP, and the page that shows them.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "http/server.h"
#include "serve/model_owner.h"

namespace amae::serve {

struct ServeOptions {
  std::filesystem::path bundle;  ///< run or bundle
  std::filesystem::path index;   ///< embedding store with an index; empty: none
  std::filesystem::path runs;    ///< folder of runs; empty: none
  http::ServerOptions http;
  std::vector<std::string> allowed_hosts;  ///< names in a request's Host beside those of this machine
  bool opens_browser = false;
  BatchOptions batch;
  int64_t queue = 128;  ///< requests that are worked on at a time, those that wait included; beyond it 503
  int64_t workers = 0;  ///< threads that decode and run the front end; 0: one for each core
  std::chrono::milliseconds drain{10'000};  ///< after a signal, for what has begun
  std::string device = "auto";
};

/// Serves until SIGINT or SIGTERM, then answers what has begun and returns 0; a second signal ends at once, and its
/// exit code is returned. Throws InputError for a bundle, index or folder that cannot be used, EnvironmentError when
/// the port cannot be had.
int serve(const ServeOptions& options, const std::vector<std::filesystem::path>& plugin_path);

}  // namespace amae::serve
