// SIGINT and SIGTERM as a request to save and leave; a second signal ends the program at once.
#pragma once

#include <exception>

namespace amae {

/// Thrown by long work that has nothing to save when a stop was asked for. Not an error: no one is told about it.
struct Stopped : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "stopped by a signal"; }
};

/// Installs the handlers. Call once, from main.
void catch_stop_signals();

/// The signal that asked us to stop, or 0.
int stop_signal();

/// Throws Stopped when a stop was asked for.
void throw_if_stopped();

/// Asks for a stop as a signal would (for tests); 0 takes it back.
void request_stop(int signal);

}  // namespace amae
