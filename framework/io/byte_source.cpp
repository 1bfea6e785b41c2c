#include "io/byte_source.h"

#include <fmt/format.h>

#include "amae/error.h"
#include "base/text.h"

namespace amae {

ByteSource::~ByteSource() = default;

std::string ByteSource::where() const {
  return origin_.part.empty() ? origin_.file : origin_.file + ": " + origin_.part;
}

void ByteSource::refuse(const std::string& message, const std::string& field) const {
  const std::string& part = origin_.part;
  throw InputError(origin_.code, origin_.file,
                   part.empty()    ? field
                   : field.empty() ? part
                                   : part + ": " + field,
                   message);
}

OpenFile::OpenFile(const std::filesystem::path& path, const std::string& code)
    : ByteSource({code, printable(path.string()), ""}), file_(path, code) {}

ReopenedFile::ReopenedFile(std::filesystem::path path, const std::string& code)
    : ByteSource({code, printable(path.string()), ""}), path_(std::move(path)) {
  const RegularFile file(path_, code);
  size_ = file.size();
  changed_ = file.changed();
}

void ReopenedFile::read(uint64_t offset, void* target, size_t count) const {
  const RegularFile file(path_, origin().code);
  const timespec now = file.changed();
  if (file.size() != size_ || now.tv_sec != changed_.tv_sec || now.tv_nsec != changed_.tv_nsec)
    refuse("got a file that changed since it was first looked at, expected one at rest");
  file.read(offset, target, count);
}

Stretch::Stretch(std::shared_ptr<const ByteSource> whole, uint64_t begin, uint64_t size, const std::string& name)
    : ByteSource({whole->origin().code, whole->origin().file, printable(name)}),
      whole_(std::move(whole)),
      begin_(begin),
      size_(size) {
  if (begin_ > whole_->size() || size_ > whole_->size() - begin_) {
    refuse(fmt::format("got {} bytes from byte {} on, expected them within the file's {} (truncated file)", size_,
                       begin_, whole_->size()));
  }
}

void Stretch::read(uint64_t offset, void* target, size_t count) const {
  if (offset > size_ || count > size_ - offset)
    refuse(fmt::format("got {} bytes, expected {} from byte {} on (truncated file)", size_, count, offset));
  whole_->read(begin_ + offset, target, count);
}

}  // namespace amae
