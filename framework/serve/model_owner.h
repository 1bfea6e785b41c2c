// The one thread that calls the model. Clips that wait together go through it together.
#pragma once

#include <torch/types.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "serve/clock.h"
#include "train/bundle.h"

namespace amae::serve {

struct BatchOptions {
  int64_t max_batch = 16;  ///< clips; 1: each goes alone, so that its numbers are those of `amae predict`
  std::chrono::microseconds max_wait{2'000};  ///< for others that are being prepared
};

/// What pictures need beyond probabilities, of view 0.
struct Extras {
  bool maps = false;      ///< feature maps and attention
  double mask_ratio = 0;  ///< > 0: a masked reconstruction
};

struct Inference {
  torch::Tensor probabilities;                              ///< [K] float32; undefined for an encoder without classes
  std::vector<std::pair<std::string, torch::Tensor>> maps;  ///< on the CPU, as Encoder::feature_maps() with B = 1
  torch::Tensor prediction, hidden;                         ///< [C, F, T] or [C, N]; bool [F, T] or [N]
  double loss = 0;                                          ///< of the reconstruction
  int64_t batch = 1;                                        ///< clips that went together
  double queue_ms = 0, model_ms = 0;                        ///< waited, computed (of the whole batch)
};

/// Thread-safe.
class ModelOwner {
 public:
  struct Clip {
    std::vector<torch::Tensor> views;  ///< what the model gets in each evaluation pass, [1, ...]
    Extras extras;
    std::function<bool()> gone;  ///< nobody waits for it any more
    /// Called once, on the owner's thread: with an answer, or with why there is none (null when the client is gone).
    std::function<void(Inference answer)> done;
    std::function<void(std::exception_ptr why)> failed;
  };

  /// The bundle outlives it; its model is on `device`. `computed` is told of each batch: clips and seconds.
  ModelOwner(const Bundle& bundle, torch::Device device, const BatchOptions& options,
             std::function<void(int64_t clips, double seconds)> computed);
  ~ModelOwner();  ///< answers what is queued, then ends
  ModelOwner(const ModelOwner&) = delete;
  ModelOwner& operator=(const ModelOwner&) = delete;

  /// While one lives a clip is on its way here, and a batch that is not full waits for it a moment.
  class Announced {
   public:
    explicit Announced(ModelOwner& owner);
    ~Announced();
    Announced(const Announced&) = delete;
    Announced& operator=(const Announced&) = delete;

   private:
    ModelOwner& owner_;
  };

  void add(Clip clip);
  /// `work` has the model for itself; it must not throw.
  void add_alone(std::function<void()> work);
  [[nodiscard]] int64_t waiting() const;

 private:
  struct Waiting {
    Clip clip;  // without views: `alone`
    std::function<void()> alone;
    Clock::time_point since;
  };

  void run();
  /// The next to go together, taken out of the queue; empty: it is over.
  std::vector<Waiting> next();
  void compute(std::vector<Waiting>& batch) const;
  [[nodiscard]] std::vector<torch::Tensor> probabilities(const std::vector<Waiting>& batch) const;
  void add_extras(const Clip& clip, Inference& answer) const;

  const Bundle& bundle_;
  torch::Device device_;
  BatchOptions options_;
  std::function<void(int64_t, double)> computed_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> queue_;
  int64_t announced_ = 0;
  bool ends_ = false;
  std::jthread thread_;
};

}  // namespace amae::serve
