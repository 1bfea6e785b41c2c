// SIGINT and SIGTERM as a request to save and leave; a second signal ends the program at once.
#pragma once

namespace amae {

/// Installs the handlers. Call once, from main.
void catch_stop_signals();

/// The signal that asked us to stop, or 0.
int stop_signal();

/// Asks for a stop as a signal would (for tests); 0 takes it back.
void request_stop(int signal);

}  // namespace amae
