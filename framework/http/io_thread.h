// The way into a server's one thread, from any other. (no LibTorch)
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <mutex>
#include <utility>

namespace amae::http {

/// What is posted runs on the io thread, in order, or nowhere once the server is gone. Exchanges hold it, because they
/// may outlive the server. Thread-safe.
class IoThread {
 public:
  explicit IoThread(boost::asio::io_context& context) : context_(&context) {}

  template <class Work>
  void post(Work work) {
    const std::lock_guard lock(mutex_);
    if (context_ != nullptr) boost::asio::post(*context_, std::move(work));
  }
  /// To be called before the context goes.
  void close() {
    const std::lock_guard lock(mutex_);
    context_ = nullptr;
  }

 private:
  std::mutex mutex_;
  boost::asio::io_context* context_;
};

}  // namespace amae::http
