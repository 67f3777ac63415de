// Writes what passes the tap: pcap with nanoseconds, link type raw IP.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include <wirelag/base/types.hpp>

namespace wirelag::lab {

class Capture {
 public:
  /// Nothing is written when `path` is empty. Throws std::runtime_error when it cannot be opened.
  explicit Capture(const std::string& path);
  void add(TimeNs since_epoch_ns, Bytes packet);
  /// Throws std::runtime_error when not all of it could be written.
  void finish();

 private:
  struct Closing {
    void operator()(std::FILE* f) const { (void)std::fclose(f); }
  };
  void write(const void* bytes, std::size_t n);

  std::unique_ptr<std::FILE, Closing> file_;
  bool complete_ = true;
};

}  // namespace wirelag::lab
