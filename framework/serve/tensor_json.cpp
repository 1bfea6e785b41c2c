#include "serve/tensor_json.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <vector>

#include "base/base64.h"

namespace amae::serve {

static_assert(std::endian::native == std::endian::little);

using nlohmann::ordered_json;

namespace {

std::vector<double> numbers(const torch::Tensor& tensor) {
  const torch::Tensor exact = tensor.to(torch::kDouble).contiguous();
  return {exact.const_data_ptr<double>(), exact.const_data_ptr<double>() + exact.numel()};
}

}  // namespace

ordered_json tensor_json(const torch::Tensor& tensor) {
  const bool is_bytes = tensor.scalar_type() == torch::kBool || tensor.scalar_type() == torch::kByte;
  const torch::Tensor x = tensor.to(torch::kCPU, is_bytes ? torch::kByte : torch::kFloat).contiguous();
  const std::string_view bytes(static_cast<const char*>(x.const_data_ptr()), x.nbytes());
  return {{"shape", x.sizes().vec()}, {"dtype", is_bytes ? "uint8" : "float32"}, {"data", base64(bytes)}};
}

ordered_json map_json(const std::string& name, const torch::Tensor& map, int64_t high, int64_t wide) {
  high = std::min(map.size(1), high);
  wide = std::min(map.size(2), wide);
  torch::Tensor x = map.to(torch::kFloat);
  if (high != map.size(1) || wide != map.size(2)) x = torch::adaptive_avg_pool2d(x, {high, wide});
  const torch::Tensor low = x.amin({1, 2}, true), top = x.amax({1, 2}, true);
  const torch::Tensor range = torch::where(top > low, top - low, torch::ones_like(low));
  ordered_json json{{"name", name}};
  json.update(tensor_json(((x - low) / range * 255).round().clamp(0, 255).to(torch::kByte)));
  json["of"] = map.sizes().vec();
  json["min"] = numbers(low.flatten());
  json["max"] = numbers(top.flatten());
  return json;
}

torch::Tensor attention_received(const torch::Tensor& weights, int64_t bands, int64_t steps) {
  const int64_t tokens = bands * steps, n = weights.dim() == 4 ? weights.size(3) : 0;
  if (n != tokens && n != tokens + 1) return {};
  const torch::Tensor received = n == tokens ? weights[0].mean(1) : weights[0].select(1, 0).narrow(1, 1, tokens);
  return received.reshape({received.size(0), steps, bands}).transpose(1, 2).contiguous();
}

ordered_json waveform_json(const Signal& signal, int64_t bins) {
  const int64_t count = signal.samples.size(1);
  bins = std::min(bins, count);
  ordered_json channels = ordered_json::array();
  const torch::Tensor samples = signal.samples.contiguous();
  for (int64_t c = 0; c < samples.size(0); ++c) {
    const float* x = samples.const_data_ptr<float>() + c * count;
    std::vector<float> low, high;
    for (int64_t bin = 0; bin < bins; ++bin) {
      const auto [least, most] = std::minmax_element(x + bin * count / bins, x + (bin + 1) * count / bins);
      low.push_back(*least);
      high.push_back(*most);
    }
    channels.push_back({{"min", low}, {"max", high}});
  }
  ordered_json json{{"bins", bins}, {"seconds", nullptr}};
  if (signal.rate_hz > 0) json["seconds"] = static_cast<double>(count) / signal.rate_hz;
  json["channels"] = channels;  // not a plugin
  return json;
}

}  // namespace amae::serve
