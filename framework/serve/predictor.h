// A clip's way through the server: front end on a worker, model by its owner, answer on a worker.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "http/clip_request.h"
#include "http/message.h"
#include "serve/clip_reader.h"
#include "serve/clock.h"
#include "serve/front_ends.h"
#include "serve/model_owner.h"
#include "serve/statistics.h"
#include "serve/workers.h"

namespace amae::serve {

/// Fields of answers; plugins happen to have the same names.
inline constexpr const char* kClipField = "clip";                    // not a plugin
inline constexpr const char* kChannelsField = "channels";            // not a plugin
inline constexpr const char* kConstellationField = "constellation";  // not a plugin

/// Milliseconds of each part of the work.
struct Timing {
  Clock::time_point begin = Clock::now();
  double decode_ms = 0, front_end_ms = 0, queue_ms = 0, model_ms = 0;
  [[nodiscard]] nlohmann::ordered_json json() const;
};

/// What a bundle can show beside labels, of the names that `return` takes.
std::vector<std::string> returns_of(const Bundle& bundle);

/// POST /v1/predict. Thread-safe.
class Predictor {
 public:
  using Answer = std::function<void(nlohmann::ordered_json)>;
  using Fail = std::function<void(std::exception_ptr)>;  ///< null: the client is gone

  /// All outlive it.
  Predictor(const Bundle& bundle, FrontEnds& front_ends, ModelOwner& owner, Workers& workers, Statistics& statistics);

  /// Refuses what `return` asks for and this model cannot give. Throws http::BadRequest.
  void check(const http::ClipRequest& request) const;

  /// On a worker: `clip` through the front end, and on to the model. Throws InputError for what the front end refuses;
  /// afterwards one of the two is called, on a worker.
  void start(http::ClipRequest request, const Clip& clip, Timing timing,
             std::shared_ptr<ModelOwner::Announced> announced, std::function<bool()> gone, Answer answer, Fail fail);

 private:
  struct Work;
  [[nodiscard]] nlohmann::ordered_json answer_of(const Work& work, const Inference& inference) const;
  void add_pictures(const Work& work, const Inference& inference, nlohmann::ordered_json& json) const;

  const Bundle& bundle_;
  FrontEnds& front_ends_;
  ModelOwner& owner_;
  Workers& workers_;
  Statistics& statistics_;
  std::vector<std::string> returns_;
};

/// {"format", "domain", "rate_hz", "channels", "samples", "seconds"}.
nlohmann::ordered_json clip_json(const Clip& clip);

}  // namespace amae::serve
