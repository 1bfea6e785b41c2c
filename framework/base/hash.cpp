#include "base/hash.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "amae/error.h"

namespace amae {
namespace {

std::string hex(const unsigned char* bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

struct Sha2 {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  explicit Sha2(const EVP_MD* kind) { EVP_DigestInit_ex(context.get(), kind, nullptr); }
  void add(const void* data, size_t size) { EVP_DigestUpdate(context.get(), data, size); }
  std::string finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context.get(), digest.data(), &size);
    return hex(digest.data(), size);
  }
};

std::string hex(XXH128_hash_t value) { return fmt::format("{:016x}{:016x}", value.high64, value.low64); }

void stream(const std::filesystem::path& path, const std::function<void(const void*, size_t)>& take) {
  const auto fail = [&] {
    throw InputError("FILE", path.string(), "", std::string("cannot read: ") + std::strerror(errno));
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail();
  const std::unique_ptr<const int, void (*)(const int*)> closer(&fd, [](const int* f) { ::close(*f); });
  struct stat status {};
  if (::fstat(fd, &status) != 0) fail();
  if (!S_ISREG(status.st_mode)) throw InputError("FILE", path.string(), "", "is not a regular file");
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail();
    take(buffer.data(), static_cast<size_t>(got));
  }
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Sha2 hash(EVP_sha256());
  hash.add(bytes.data(), bytes.size());
  return hash.finish();
}

struct Sha512::Digest : Sha2 {
  Digest() : Sha2(EVP_sha512()) {}
};

Sha512::Sha512() : digest_(std::make_unique<Digest>()) {}
Sha512::~Sha512() = default;
void Sha512::add(const void* data, size_t size) { digest_->add(data, size); }
std::string Sha512::finish() { return digest_->finish(); }

std::string xxh3_hex(std::string_view bytes) { return hex(XXH3_128bits(bytes.data(), bytes.size())); }

uint64_t xxh3_key(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

struct Xxh3::State {
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> xxh{XXH3_createState(), &XXH3_freeState};
};

Xxh3::Xxh3() : state_(std::make_unique<State>()) { XXH3_128bits_reset(state_->xxh.get()); }
Xxh3::~Xxh3() = default;
void Xxh3::add(const void* data, size_t size) { XXH3_128bits_update(state_->xxh.get(), data, size); }
std::string Xxh3::hex() const { return amae::hex(XXH3_128bits_digest(state_->xxh.get())); }

std::string sha256_file(const std::filesystem::path& path) {
  Sha2 hash(EVP_sha256());
  stream(path, [&](const void* data, size_t size) { hash.add(data, size); });
  return hash.finish();
}

std::string xxh3_file(const std::filesystem::path& path) {
  Xxh3 hash;
  stream(path, [&](const void* data, size_t size) { hash.add(data, size); });
  return hash.hex();
}

}  // namespace amae
