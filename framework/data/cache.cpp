#include "data/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "data/threads.h"

namespace amae {
namespace fs = std::filesystem;

void CacheOptions::describe(Fields& f) {
  f.add("mode", mode, "where the output of the deterministic transforms is kept")
      .choices({"auto", "ram", "disk", "off"});
  f.add("ram_limit", ram_limit, "auto uses a mapped file above this size").unit("bytes").min(0);
  f.add("folder", folder, "folder of mapped files; empty: $AMAE_CACHE, else the user's cache folder").path();
}

namespace {

fs::path cache_folder(const CacheOptions& options) {
  const auto environment = [](const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets the environment
    return std::string(value != nullptr ? value : "");
  };
  if (!options.folder.empty()) return options.folder;
  if (const std::string own = environment("AMAE_CACHE"); !own.empty()) return own;
  if (const std::string xdg = environment("XDG_CACHE_HOME"); !xdg.empty()) return fs::path(xdg) / "amae";
  return fs::path(environment("HOME")) / ".cache/amae";
}

std::string key_of(const Dataset& dataset, const Pipeline& pipeline, const std::vector<int64_t>& shape) {
  std::string text = fmt::format("amae feature cache 1\n{}\n{}\n", pipeline.front_key(), fmt::join(shape, ","));
  for (int64_t row = 0; row < dataset.size(); ++row) text += dataset.content_hash(row) + "\n";
  return sha256_hex(text).substr(0, 32);
}

void remove_quietly(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

int64_t elements(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

}  // namespace

// A file of one header page and the rows as float32, mapped read-only.
// Header: JSON {"rows", "shape", "rate_hz", "xxh3"} padded with blanks to 4096 bytes.
class FeatureCache::Mapping {
 public:
  static constexpr size_t kHeader = 4096;

  Mapping(const fs::path& path, size_t payload, bool create) {
    fd_ = ::open(path.c_str(), create ? O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0666);
    if (fd_ < 0) throw EnvironmentError("CACHE", path.string(), std::strerror(errno));
    size_ = kHeader + payload;
    if (create && ::posix_fallocate(fd_, 0, static_cast<off_t>(size_)) != 0) {  // a hole would be SIGBUS on a full disk
      ::close(fd_);
      throw EnvironmentError("CACHE", path.string(),
                             fmt::format("no room for {}", bytes_text(static_cast<double>(size_))));
    }
    struct stat status {};
    if (::fstat(fd_, &status) != 0 || static_cast<size_t>(status.st_size) != size_) {
      ::close(fd_);
      throw EnvironmentError("CACHE", path.string(), "has the wrong size");
    }
    data_ = ::mmap(nullptr, size_, create ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd_, 0);
    if (data_ == MAP_FAILED) {
      ::close(fd_);
      throw EnvironmentError("CACHE", path.string(), std::strerror(errno));
    }
  }
  ~Mapping() {
    ::munmap(data_, size_);
    ::close(fd_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] char* header() const { return static_cast<char*>(data_); }
  [[nodiscard]] char* payload() const { return header() + kHeader; }
  /// True when the payload is what the header says that it was.
  [[nodiscard]] bool is_whole() const {
    const auto json = nlohmann::json::parse(std::string_view(header(), kHeader), nullptr, false);
    const auto hash = json.is_object() ? json.find("xxh3") : json.end();
    return hash != json.end() && *hash == xxh3_hex(payload_bytes());
  }
  [[nodiscard]] std::string_view payload_bytes() const { return {payload(), size_ - kHeader}; }
  void sync() const { ::msync(data_, size_, MS_SYNC); }

 private:
  int fd_ = -1;
  size_t size_ = 0;
  void* data_ = nullptr;
};

FeatureCache::~FeatureCache() = default;

FeatureCache::FeatureCache(std::shared_ptr<const Dataset> dataset, std::shared_ptr<const Pipeline> pipeline,
                           const CacheOptions& options, int threads, const Progress& progress)
    : dataset_(std::move(dataset)), pipeline_(std::move(pipeline)), kind_(options.mode) {
  const Spec& spec = pipeline_->front_output();
  std::vector<int64_t> shape = {dataset_->size()};
  shape.insert(shape.end(), spec.shape.begin(), spec.shape.end());
  const bool varies = std::any_of(spec.shape.begin(), spec.shape.end(), [](int64_t size) { return size < 0; });
  if (varies && kind_ != "off") {
    throw InputError(
        "CACHE", "", "transforms",
        fmt::format(
            "got items of varying size ({}) from the deterministic transforms, expected one size; add fixed_length",
            spec.text()));
  }
  rate_hz_ = spec.rate_hz;
  if (kind_ == "off") return;
  bytes_ = 4.0 * static_cast<double>(elements(shape));
  if (kind_ == "auto") kind_ = bytes_ <= options.ram_limit ? "ram" : "disk";

  if (kind_ == "disk") {
    const fs::path folder = cache_folder(options) / "features";
    const fs::path path = folder / (key_of(*dataset_, *pipeline_, shape) + ".f32");
    std::exception_ptr failure;
    const auto view = [&] { return at::from_blob(mapping_->payload(), shape, at::kFloat); };
    try {
      fs::create_directories(folder);
      if (fs::exists(path)) {
        try {
          mapping_ = std::make_unique<Mapping>(path, static_cast<size_t>(bytes_), false);
          if (mapping_->is_whole()) {
            all_ = view();
            return;
          }
          mapping_.reset();
        } catch (const EnvironmentError&) {  // of another size, or not to be read
        }
        log::warning("cache entry {} is damaged and is computed anew", path.string());
      }
      // A process id alone is not enough: another cache of this process, or of another container, may be at it too.
      const fs::path temporary = path.string() + fmt::format(".tmp-{}-{:08x}", ::getpid(), std::random_device{}());
      try {
        mapping_ = std::make_unique<Mapping>(temporary, static_cast<size_t>(bytes_), true);
      } catch (...) {
        remove_quietly(temporary);
        throw;
      }
      all_ = view();
      try {
        fill(all_, threads, progress);
      } catch (...) {
        failure = std::current_exception();  // of the data, not of the cache
        remove_quietly(temporary);
      }
      if (!failure) {
        const std::string header = nlohmann::json{{"rows", shape[0]},
                                                  {"shape", spec.shape},
                                                  {"rate_hz", rate_hz_},
                                                  {"xxh3", xxh3_hex(mapping_->payload_bytes())}}
                                       .dump();
        std::memset(mapping_->header(), ' ', Mapping::kHeader);
        std::memcpy(mapping_->header(), header.data(), std::min(header.size(), Mapping::kHeader));
        mapping_->sync();
        fs::rename(temporary, path);
        return;
      }
    } catch (const EnvironmentError& error) {
      log::warning("no disk cache ({}); keeping {} in memory", error.what(), bytes_text(bytes_));
    } catch (const fs::filesystem_error& error) {
      log::warning("no disk cache ({}); keeping {} in memory", error.what(), bytes_text(bytes_));
    }
    if (failure) std::rethrow_exception(failure);
    mapping_.reset();
    kind_ = "ram";
  }
  all_ = at::empty(shape, at::kFloat);
  fill(all_, threads, progress);
}

void FeatureCache::fill(at::Tensor& all, int threads, const Progress& progress) const {
  const int64_t total = dataset_->size();
  const int64_t row_elements = total > 0 ? all.numel() / total : 0;
  auto* data = all.data_ptr<float>();
  parallel_rows(
      total, threads,
      [&](int64_t row) {
        const Batch batch = pipeline_->run_front(dataset_->load(row), row);
        const at::Tensor x = batch.x.contiguous();
        if (x.numel() != row_elements) {
          throw InputError("CACHE", dataset_->id(row), "transforms",
                           fmt::format("got {} numbers, expected {} ({})", x.numel(), row_elements,
                                       pipeline_->front_output().text()));
        }
        std::memcpy(data + row * row_elements, x.data_ptr<float>(), sizeof(float) * static_cast<size_t>(row_elements));
      },
      progress);
}

Batch FeatureCache::rows(const std::vector<int64_t>& rows) const {
  const at::NoGradGuard no_grad;
  if (all_.defined()) return {all_.index_select(0, at::tensor(rows)), {}, rows, rate_hz_};
  Batch result{{}, {}, rows, rate_hz_};
  std::vector<at::Tensor> items;
  for (const int64_t row : rows) {
    Batch item = pipeline_->run_front(dataset_->load(row), row);
    if (!items.empty() && item.x.sizes() != items.front().sizes()) {
      throw InputError("CACHE", dataset_->id(row), "transforms",
                       "got items of different sizes in one batch; add fixed_length");
    }
    result.rate_hz = item.rate_hz;
    items.push_back(item.x);
  }
  result.x = at::cat(items);
  return result;
}

}  // namespace amae
