// The program under load when a signal comes.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>

#include "served.h"

using namespace amae;

namespace {

/// `amae serve RUN --port 0` as a process of its own.
class Program {
 public:
  Program(const TrainedModel& model, const char* threads) : err_(model.configs.path() / "serve.err") {
    std::vector<std::string> words = {AMAE_BUILD_DIR "/bin/amae", "serve", model.run().string(), "--port", "0"};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      ::setenv("AMAE_THREADS", threads, 1);
      const int to_err = ::open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
      if (::dup2(to_err, 2) == 2) ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    for (int i = 0; i < 600 && port == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      const std::string text = std::filesystem::exists(err_) ? read_file(err_) : "";
      const size_t at = text.find("http://127.0.0.1:");
      if (at != std::string::npos && text.find('\n', at) != std::string::npos)
        port = static_cast<uint16_t>(std::stoi(text.substr(at + 17)));
    }
  }
  ~Program() {
    if (child_ > 0) ::kill(child_, SIGKILL), ::waitpid(child_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Its exit code after a signal, or -1.
  int end(int signal) {
    ::kill(child_, signal);
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  uint16_t port = 0;

 private:
  std::filesystem::path err_;
  pid_t child_ = -1;
};

}  // namespace

TEST_CASE("a signal under load cuts no answer, and the program ends with 0") {
  const TrainedModel model;
  const std::string wav = model.wav_bytes(1);
  for (int round = 0; round < 5; ++round) {
    Program program(model, round % 2 == 0 ? "1" : "2");  // threads of libraries take signals too
    REQUIRE(program.port != 0);
    std::atomic<int> whole = 0, cut = 0;
    std::vector<std::jthread> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([&] {
        try {
          http::Client client(program.port);
          while (true) {
            const bool was_sent = client.send(
                "POST /v1/predict?return=features HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                "audio/wav\r\nContent-Length: " +
                std::to_string(wav.size()) + "\r\n\r\n" + wav);
            const http::Answer answer = client.read_answer();
            // Between two requests a server may close a connection: nothing of the next one was read then.
            if (answer.status == 0) break;
            ++(was_sent && answer.status == 200 && answer.is_whole ? whole : cut);
            if (answer.header("connection") == "close") break;
          }
        } catch (const std::runtime_error&) {  // no connection: it has ended
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100 + 60 * round));
    CHECK(program.end(round % 2 == 0 ? SIGTERM : SIGINT) == 0);
    clients.clear();
    CHECK(whole > 0);
    CHECK(cut == 0);
  }
}
