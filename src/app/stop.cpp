#include "stop.hpp"

#include <atomic>
#include <csignal>

namespace wirelag::app {
namespace {

std::atomic<bool> g_stop{false};
std::atomic<bool> g_report{false};
std::atomic<bool> g_reopen{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int signal) {
  switch (signal) {
    case SIGUSR1: g_report.store(true, std::memory_order_relaxed); break;
    case SIGHUP: g_reopen.store(true, std::memory_order_relaxed); break;
    default:
      // Asked twice, the user means it: the next signal ends the process at once.
      g_stop.store(true, std::memory_order_relaxed);
      std::signal(signal, SIG_DFL);
  }
}

void install(int signal) {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

}  // namespace

void catch_stop_signals() {
  install(SIGINT);
  install(SIGTERM);
}

void catch_live_signals() {
  install(SIGUSR1);
  install(SIGHUP);
}

bool stop_requested() { return g_stop.load(std::memory_order_relaxed); }
bool take_report_request() { return g_report.exchange(false, std::memory_order_relaxed); }
bool take_reopen_request() { return g_reopen.exchange(false, std::memory_order_relaxed); }

}  // namespace wirelag::app
