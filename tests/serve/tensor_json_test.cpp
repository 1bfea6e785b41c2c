#include "serve/tensor_json.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "base/base64.h"
#include "serve/constellation.h"

using namespace amae;
using namespace amae::serve;

namespace {

std::string bytes_of(const nlohmann::ordered_json& made) {
  std::string bytes;
  REQUIRE_FALSE(base64_decode(made.at("data").get<std::string>(), bytes));
  return bytes;
}

}  // namespace

TEST_CASE("a tensor's bytes are its numbers in C order, little-endian") {
  const torch::Tensor x = torch::tensor({{1.5F, -2.0F}, {0.0F, 3.25F}}).t();
  const auto made = tensor_json(x);
  CHECK(made.at("shape") == std::vector<int64_t>{2, 2});
  CHECK(made.at("dtype") == "float32");
  const std::string bytes = bytes_of(made);
  REQUIRE(bytes.size() == 16);
  float second = 0;
  std::memcpy(&second, bytes.data() + 4, 4);
  CHECK(second == 0.0F);  // row 0 of the transposed is 1.5, 0
  CHECK(bytes_of(tensor_json(torch::tensor({true, false}))) == std::string("\1\0", 2));
}

TEST_CASE("a feature map keeps its range, channel by channel, and is averaged down to the limit") {
  torch::Tensor map = torch::zeros({2, 4, 100});
  map[0].slice(1, 50, 100).fill_(2);
  map[1].fill_(-3);
  const auto made = map_json("layer1", map, 10, 10);
  CHECK(made.at("name") == "layer1");
  CHECK(made.at("shape") == std::vector<int64_t>{2, 4, 10});
  CHECK(made.at("of") == std::vector<int64_t>{2, 4, 100});
  CHECK(made.at("min") == std::vector<double>{0, -3});
  CHECK(made.at("max") == std::vector<double>{2, -3});
  const std::string bytes = bytes_of(made);
  CHECK(static_cast<unsigned char>(bytes[4]) == 0);
  CHECK(static_cast<unsigned char>(bytes[5]) == 255);
  CHECK(static_cast<unsigned char>(bytes[40]) == 0);  // a constant channel is its minimum everywhere
}

TEST_CASE("attention is what the summary token looks at, as a picture of bands and steps") {
  torch::Tensor weights = torch::zeros({1, 2, 7, 7});  // a summary and 2 bands x 3 steps
  weights[0][1][0][1 + 2 * 2 + 1] = 0.5;               // step 2, band 1
  const torch::Tensor received = attention_received(weights, 2, 3);
  CHECK(received.sizes() == torch::IntArrayRef({2, 2, 3}));
  CHECK(received[1][1][2].item<float>() == 0.5F);
  CHECK(received.sum().item<float>() == 0.5F);
  CHECK(attention_received(torch::full({1, 2, 6, 6}, 0.25), 2, 3).mean().item<float>() == 0.25F);
  CHECK_FALSE(attention_received(torch::zeros({1, 2, 9, 9}), 2, 3).defined());
}

TEST_CASE("a waveform's stretches keep its least and its largest sample") {
  const torch::Tensor samples = torch::tensor({{0.0F, 1.0F, -1.0F, 0.5F, 0.25F}});
  const auto made = waveform_json({samples, 5, Domain::audio}, 2);
  CHECK(made.at("seconds") == 1.0);
  CHECK(made.at("channels")[0].at("min") == std::vector<float>{0, -1});
  CHECK(made.at("channels")[0].at("max") == std::vector<float>{1, 0.5});
  CHECK(waveform_json({samples, 0, Domain::audio}, 100).at("bins") == 5);
  CHECK(waveform_json({samples, 0, Domain::audio}, 100).at("seconds").is_null());
}

TEST_CASE("the signal-to-noise ratio of QPSK in white noise comes within half a decibel") {
  torch::manual_seed(1);
  const int64_t count = 100'000;
  for (const double snr : {0.0, 10.0, 20.0}) {
    const torch::Tensor signs = torch::randint(0, 2, {2, count}).to(torch::kFloat) * 2 - 1;
    const double noise = std::pow(10, -snr / 20);
    const torch::Tensor samples = (signs + noise * torch::randn({2, count})) / std::sqrt(2);
    const auto estimate = snr_db(samples);
    REQUIRE(estimate);
    CHECK(std::abs(*estimate - snr) < 0.5);
  }
  CHECK_FALSE(snr_db(torch::randn({2, count}) * torch::rand({1, count}).square()));  // no constant modulus in it
}

TEST_CASE("a tone of known frequency stands in its row of the IQ spectrogram") {
  const int64_t count = 4096;
  const torch::Tensor t = torch::arange(count).to(torch::kDouble) * (2 * M_PI * 0.25);
  const Signal tone{torch::stack({t.cos(), t.sin()}).to(torch::kFloat), 1000, Domain::iq};
  const auto made = constellation_json(tone);
  CHECK(made.at("points").size() == 2048);
  const auto& picture = made.at("spectrogram");
  const int64_t rows = picture.at("shape")[0], columns = picture.at("shape")[1];
  const std::string bytes = bytes_of(picture);
  std::vector<float> values(static_cast<size_t>(rows * columns));
  REQUIRE(bytes.size() == values.size() * sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  int64_t best = 0;
  for (int64_t row = 0; row < rows; ++row) {
    if (values[static_cast<size_t>(row * columns)] > values[static_cast<size_t>(best * columns)]) best = row;
  }
  CHECK(picture.at("frequencies_hz")[static_cast<size_t>(best)] == 250.0);
}
