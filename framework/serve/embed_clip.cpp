#include "serve/embed_clip.h"

#include <torch/types.h>

#include <vector>

#include "task/embed.h"

namespace amae::serve {
namespace {

class OneSignal final : public EmbedSource {
 public:
  explicit OneSignal(const Clip& clip) : clip_(clip) {}

  [[nodiscard]] int64_t size() const override { return 1; }
  [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }
  [[nodiscard]] EmbedItem item(int64_t /*number*/) const override { return {clip_.name, "", "", "", {}}; }
  [[nodiscard]] std::string content(int64_t /*number*/) const override { return ""; }
  [[nodiscard]] Spec spec(int64_t /*number*/) const override {
    const Signal& signal = clip_.signal;
    return {signal.domain, {signal.samples.size(0), signal.samples.size(1)}, signal.rate_hz};
  }
  [[nodiscard]] Signal read(int64_t /*number*/, int64_t begin, int64_t frames) const override {
    return {clip_.signal.samples.narrow(1, begin, frames), clip_.signal.rate_hz, clip_.signal.domain};
  }

 private:
  const Clip& clip_;
  std::vector<std::string> columns_;
};

}  // namespace

torch::Tensor embed_clip(const Bundle& bundle, const Registry& registry, const Clip& clip, const EmbedOptions& options,
                         torch::Device device) {
  torch::Tensor vector;
  const EmbedCount count = embed_items(bundle, registry, OneSignal(clip), {0}, options, device,
                                       [&](const EmbeddedItem& item) { vector = item.vectors; });
  if (!count.problems.empty()) throw InputError(count.problems);
  return vector.mean(0, /*keepdim=*/true);
}

}  // namespace amae::serve
