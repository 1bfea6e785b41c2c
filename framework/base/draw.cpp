#include "amae/draw.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace amae {

std::array<uint32_t, 4> Draw::philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t{0xD2511F53} * counter[0];
    const uint64_t second = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(second),
               static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(first)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Draw::Draw(uint64_t seed, uint64_t epoch, uint64_t sample, uint32_t stage) {
  // The four coordinates fill 224 bits but key and counter leave room for 160 beside the running number, so they are
  // folded by one Philox call each: distinct coordinates give independent streams but for 64-bit collisions.
  const auto lo = [](uint64_t v) { return static_cast<uint32_t>(v); };
  const auto hi = [](uint64_t v) { return static_cast<uint32_t>(v >> 32); };
  const auto folded = philox({lo(sample), hi(sample), lo(epoch), stage}, {lo(seed), hi(seed)});
  key_ = {folded[0], folded[1]};
  counter_ = {0, 0, folded[2], folded[3]};
}

uint32_t Draw::bits() {
  if (used_ == 4) {
    block_ = philox(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return block_[static_cast<size_t>(used_++)];
}

double Draw::uniform() {
  const uint64_t high = bits() >> 5, low = bits() >> 6;  // 27 + 26 bits
  return static_cast<double>((high << 26) | low) * 0x1p-53;
}

double Draw::uniform(double low, double high) { return low + (high - low) * uniform(); }

int64_t Draw::integer(int64_t low, int64_t high) {
  const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  const uint64_t reject = (0 - span) % span;  // numbers below this would come up once too often
  for (;;) {
    const uint64_t value = (static_cast<uint64_t>(bits()) << 32) | bits();
    if (value >= reject) return static_cast<int64_t>(static_cast<uint64_t>(low) + value % span);
  }
}

bool Draw::chance(double p) { return uniform() < p; }

double Draw::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double Draw::gamma(double shape) {
  if (shape < 1) {  // boost by one and correct (Marsaglia and Tsang, section 6)
    const double boosted = gamma(shape + 1);
    return boosted * std::pow(1.0 - uniform(), 1.0 / shape);
  }
  const double d = shape - 1.0 / 3.0, c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double base = 1.0 + c * x;
    if (base <= 0) continue;
    const double v = base * base * base;
    if (std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double Draw::beta(double a, double b) {
  const double first = gamma(a), second = gamma(b);
  const double sum = first + second;
  return sum > 0 ? first / sum : (chance(a / (a + b)) ? 1.0 : 0.0);  // both underflow when a and b are tiny
}

std::vector<int64_t> Draw::permutation(int64_t n) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = n - 1; i > 0; --i)
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(integer(0, i + 1))]);
  return order;
}

}  // namespace amae
