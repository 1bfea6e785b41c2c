#include "index/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "amae/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

constexpr const char* kStoreFormatName = "amae embedding store 1";

ordered_json maker_json(const EmbeddingMaker& maker) {
  return {{"weights_sha256", maker.weights}, {"pipeline_sha256", maker.pipeline}, {"type", maker.type},
          {"pooling", maker.pooling},        {"chunk_s", maker.chunk_s},          {"hop_s", maker.hop_s},
          {"timestamps", maker.timestamps}};
}

EmbeddingMaker maker_from(const ordered_json& json) {
  return {json.at("weights_sha256"), json.at("pipeline_sha256"), json.at("type"),      json.at("pooling"),
          json.at("chunk_s"),        json.at("hop_s"),           json.at("timestamps")};
}

/// The manifest's text with its own hash; a reader rebuilds it and compares every byte.
std::string manifest_text(ordered_json json) {
  json.erase("xxh3");
  json["xxh3"] = xxh3_hex(json.dump(2, ' ', false, ordered_json::error_handler_t::replace));
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

size_t type_bytes(const std::string& type) { return type == "float16" ? 2 : 4; }

}  // namespace

std::string EmbeddingMaker::difference(const EmbeddingMaker& expected) const {
  const auto told = [](const char* name, const auto& got, const auto& wanted) {
    return fmt::format("{}: got {}, expected {}", name, got, wanted);
  };
  if (weights != expected.weights)
    return told("weights of the model", weights.substr(0, 12), expected.weights.substr(0, 12));
  if (pipeline != expected.pipeline)
    return told("front end and model options", pipeline.substr(0, 12), expected.pipeline.substr(0, 12));
  if (chunk_s != expected.chunk_s) return told("chunk", number_text(chunk_s), number_text(expected.chunk_s));
  if (hop_s != expected.hop_s) return told("hop", number_text(hop_s), number_text(expected.hop_s));
  if (timestamps != expected.timestamps) return told("timestamps", timestamps, expected.timestamps);
  if (type != expected.type) return told("type", type, expected.type);
  if (pooling != expected.pooling) return told("pooling", pooling, expected.pooling);
  return "";
}

const std::vector<std::string>& item_columns() {
  static const std::vector<std::string> columns = {"id", "path", "label", "fold", "start", "end", "content"};
  return columns;
}

std::string item_id(const std::string& row_id, bool timestamps) {
  return timestamps ? row_id.substr(0, row_id.rfind("#t=")) : row_id;
}

bool is_store(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / kStoreManifest, ignored);
}

namespace {

struct FileSeal {
  uint64_t bytes = 0;
  std::string hash;
};

struct SealedManifest {
  StoreManifest manifest;
  FileSeal vectors, items;
  std::string id;
};

SealedManifest read_sealed_manifest(const fs::path& folder) {
  const fs::path file = folder / kStoreManifest;
  if (!is_store(folder)) {
    throw InputError(
        "STORE", printable(folder.string()), "",
        fmt::format("got no embedding store, expected a folder with {}; amae embed makes one", kStoreManifest));
  }
  const std::string text = RegularFile(file, "STORE").read_all(uint64_t{64} << 20U);
  const auto refuse = [&](const std::string& message) {
    throw InputError("STORE", printable(file.string()), "", message);
  };
  const auto json = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || manifest_text(json) != text) refuse("does not match its own hash: the file is damaged");
  SealedManifest told;
  try {
    if (json.at("format") != kStoreFormatName) {
      throw InputError(
          "STORE", printable(file.string()), "format",
          fmt::format("got {}, expected \"{}\": written by another amae", json.at("format").dump(), kStoreFormatName));
    }
    told.manifest = {
        maker_from(json.at("maker")), json.at("bundle"), json.at("bundle_id"), json.at("data"), json.at("rows"),
        json.at("dimension")};
    const auto seal = [&](const char* name) -> FileSeal {
      const auto& entry = json.at("files").at(name);
      return {entry.at("bytes"), entry.at("xxh3")};
    };
    told.vectors = seal(kStoreVectors);
    told.items = seal(kStoreItems);
  } catch (const nlohmann::json::exception& error) {
    refuse(std::string("cannot be read: ") + error.what());
  }
  told.id = xxh3_hex(text);
  return told;
}

}  // namespace

StoreManifest read_manifest(const fs::path& folder) { return read_sealed_manifest(folder).manifest; }

EmbeddingStore::EmbeddingStore(fs::path folder, Check check) : folder_(std::move(folder)) {
  SealedManifest told = read_sealed_manifest(folder_);
  manifest_ = std::move(told.manifest);
  id_ = std::move(told.id);

  vectors_ = std::make_unique<OpenFile>(folder_ / kStoreVectors, "STORE");
  const auto check_size = [&](const ByteSource& source, uint64_t expected) {
    if (source.size() != expected)
      source.refuse(fmt::format("got {} bytes, expected {} as in {}", source.size(), expected, kStoreManifest));
  };
  check_size(*vectors_, told.vectors.bytes);
  const OpenFile table(folder_ / kStoreItems, "STORE");
  check_size(table, told.items.bytes);
  if (check == Check::manifest) return;

  check_vectors(told.vectors.hash);
  std::string rows(told.items.bytes, '\0');
  table.read(0, rows.data(), rows.size());
  if (xxh3_hex(rows) != told.items.hash)
    table.refuse(fmt::format("does not match its hash in {}: the file is damaged", kStoreManifest));
  items_.emplace(std::move(rows), table.where());
  if (items_->rows() != manifest_.rows)
    table.refuse(fmt::format("got {} rows, expected {} as in {}", items_->rows(), manifest_.rows, kStoreManifest));
}

void EmbeddingStore::check_vectors(const std::string& hash) {
  Xxh3 own;
  std::vector<char> buffer(size_t{1} << 20U);
  for (uint64_t done = 0; done < vectors_->size();) {
    const size_t count = std::min<uint64_t>(buffer.size(), vectors_->size() - done);
    vectors_->read(done, buffer.data(), count);
    own.add(buffer.data(), count);
    done += count;
  }
  if (own.hex() != hash)
    vectors_->refuse(fmt::format("does not match its hash in {}: the file is damaged", kStoreManifest));
  const NpyHeader header = read_npy_header(*vectors_);
  const std::string descr = manifest_.maker.type == "float16" ? "<f2" : "<f4";
  if (header.descr != descr || header.shape != std::vector<int64_t>{manifest_.rows, manifest_.dimension}) {
    vectors_->refuse(fmt::format("got {} of shape ({}), expected {} of ({}, {}) as in {}", header.descr,
                                 fmt::join(header.shape, ", "), descr, manifest_.rows, manifest_.dimension,
                                 kStoreManifest));
  }
  npy_data_bytes(*vectors_, header, type_bytes(manifest_.maker.type));
  vectors_at_ = header.data_at;
}

uint64_t EmbeddingStore::bytes() const {
  std::error_code error;
  const auto table = fs::file_size(folder_ / kStoreItems, error);
  return vectors_->size() + (error ? 0 : table);
}

const Items& EmbeddingStore::items() const {
  if (!items_) throw std::logic_error("EmbeddingStore: opened for a look at the manifest alone");
  return *items_;
}

at::Tensor EmbeddingStore::vectors(int64_t begin, int64_t count) const {
  if (vectors_at_ == 0) throw std::logic_error("EmbeddingStore: opened for a look at the manifest alone");
  if (begin < 0 || count < 0 || begin + count > rows()) throw std::out_of_range("EmbeddingStore::vectors");
  const bool is_half = manifest_.maker.type == "float16";
  at::Tensor out = at::empty({count, dimension()}, is_half ? at::kHalf : at::kFloat);
  vectors_->read(vectors_at_ + static_cast<uint64_t>(begin) * dimension() * type_bytes(manifest_.maker.type),
                 out.mutable_data_ptr(), out.nbytes());
  return out.to(at::kFloat);
}

at::Tensor EmbeddingStore::vectors(const std::vector<int64_t>& rows) const {
  at::Tensor out = at::empty({static_cast<int64_t>(rows.size()), dimension()}, at::kFloat);
  for (size_t i = 0; i < rows.size();) {  // neighbours are read in one go
    size_t end = i + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    const auto count = static_cast<int64_t>(end - i);
    out.narrow(0, static_cast<int64_t>(i), count).copy_(vectors(rows[i], count));
    i = end;
  }
  return out;
}

EmbeddingWriter::EmbeddingWriter(const fs::path& folder, StoreManifest manifest,
                                 const std::vector<std::string>& columns)
    : target_(folder), manifest_(std::move(manifest)), folder_(folder) {
  vectors_.open(folder_.path() / kStoreVectors, std::ios::binary);
  items_.open(folder_.path() / kStoreItems, std::ios::binary);
  const std::string header =
      npy_header(manifest_.maker.type == "float16" ? "<f2" : "<f4", {manifest_.rows, manifest_.dimension});
  put(vectors_, vectors_hash_, header.data(), header.size(), kStoreVectors);
  std::vector<std::string> all = item_columns();
  all.insert(all.end(), columns.begin(), columns.end());
  const std::string line = csv_line(all);
  put(items_, items_hash_, line.data(), line.size(), kStoreItems);
}

void EmbeddingWriter::put(std::ofstream& file, Xxh3& hash, const void* data, size_t count, const char* name) {
  file.write(static_cast<const char*>(data), static_cast<std::streamsize>(count));
  if (!file) throw EnvironmentError("FILE", (folder_.path() / name).string(), "cannot write: is the disk full?");
  hash.add(data, count);
}

void EmbeddingWriter::add(const std::vector<std::string>& cells, const float* vector) {
  const auto width = static_cast<size_t>(manifest_.dimension);
  if (manifest_.maker.type == "float16") {
    constexpr float kLargestHalf = 65504;
    if (std::any_of(vector, vector + width, [](float x) { return std::abs(x) > kLargestHalf; }))
      throw InputError("STORE", printable(target_.string()), "type",
                       "got numbers beyond 65504, expected float32 for them");
    const std::vector<at::Half> halves(vector, vector + width);
    put(vectors_, vectors_hash_, halves.data(), 2 * width, kStoreVectors);
  } else {
    put(vectors_, vectors_hash_, vector, 4 * width, kStoreVectors);
  }
  const std::string line = csv_line(cells);
  put(items_, items_hash_, line.data(), line.size(), kStoreItems);
  ++rows_;
}

void EmbeddingWriter::commit() {
  if (rows_ != manifest_.rows)
    throw std::logic_error(fmt::format("EmbeddingWriter: got {} rows, expected {}", rows_, manifest_.rows));
  for (std::ofstream* file : {&vectors_, &items_}) {
    file->close();
    if (!*file) throw EnvironmentError("FILE", folder_.path().string(), "cannot write: is the disk full?");
  }
  const auto entry = [&](const char* name, const Xxh3& hash) -> ordered_json {
    return {{"bytes", fs::file_size(folder_.path() / name)}, {"xxh3", hash.hex()}};
  };
  const ordered_json json{
      {"format", kStoreFormatName},
      {"rows", manifest_.rows},
      {"dimension", manifest_.dimension},
      {"bundle", printable(manifest_.bundle)},
      {"bundle_id", manifest_.bundle_id},
      {"maker", maker_json(manifest_.maker)},
      {"data", manifest_.data},
      {"files",
       {{kStoreVectors, entry(kStoreVectors, vectors_hash_)}, {kStoreItems, entry(kStoreItems, items_hash_)}}}};
  write_file(folder_.path() / kStoreManifest, manifest_text(json));
  std::error_code error;
  if (const fs::path index = target_ / kStoreIndexFile; fs::is_regular_file(index, error)) {
    fs::create_hard_link(index, folder_.path() / kStoreIndexFile, error);  // never changed in place
    if (error) fs::copy_file(index, folder_.path() / kStoreIndexFile, error);
    if (error) {
      throw EnvironmentError("FILE", printable((folder_.path() / kStoreIndexFile).string()),
                             "cannot write: " + error.message());
    }
  }
  folder_.commit();
}

}  // namespace amae
