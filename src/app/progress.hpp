// "wirelag: 43 % of big.pcap, 2.1 M packets" on stderr, when it is a terminal and the file is large.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace wirelag::app {

class Progress {
 public:
  Progress(std::string name, std::uint64_t total_bytes);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Cheap; prints at most four times a second.
  void update(std::uint64_t done_bytes, std::uint64_t packets);

 private:
  std::string name_;
  std::uint64_t total_bytes_;
  bool wanted_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace wirelag::app
