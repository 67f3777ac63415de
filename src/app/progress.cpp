#include "progress.hpp"

#include <cstdio>
#include <unistd.h>

#include <fmt/format.h>

namespace wirelag::app {
namespace {

constexpr std::uint64_t kWorthShowingBytes = 64U << 20;
constexpr auto kInterval = std::chrono::milliseconds(250);

}  // namespace

Progress::Progress(std::string name, std::uint64_t total_bytes)
    : name_(std::move(name)),
      total_bytes_(total_bytes),
      wanted_(total_bytes >= kWorthShowingBytes && isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

void Progress::update(std::uint64_t done_bytes, std::uint64_t packets) {
  if (!wanted_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kInterval;
  shown_ = true;
  fmt::print(stderr, "\r\033[Kwirelag: {} % of {}, {:.1f} M packets",
             done_bytes * 100 / total_bytes_, name_, static_cast<double>(packets) / 1e6);
  std::fflush(stderr);
}

}  // namespace wirelag::app
