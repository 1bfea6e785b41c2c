// A crash in a plugin, told in one line: in whose code it was. The process ends as it would have without that line.
#pragma once

#include <filesystem>

namespace amae {

/// From now on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, on whatever thread, write one line to stderr before they do
/// what they always did (a core dump, exit status 128 + signal):
///
///   amae: error[PLUGIN]: FILE: crashed (segmentation fault) in its code
///   amae: error[INTERNAL]: crashed (aborted)
///
/// The file is that of the innermost frame in a library that crash_report_knows(). Handlers that are there already give
/// way: UCX, which LibTorch may bring along, installs some that print pages. Under AddressSanitizer nothing happens,
/// its own report is better. Call once, from main.
void install_crash_report();

/// `library`, loaded by this name, is one to name. Called by one thread at a time. Nothing happens for a file that is
/// not loaded, and beyond 1024 libraries.
void crash_report_knows(const std::filesystem::path& library);

}  // namespace amae
