// Where log lines go: a file that can be reopened (logrotate), stderr or stdout.
//
// A write that fails never stops the appliance: it is reported once, as a sentence, until a write
// or a reopen succeeds again; the lines in between are lost. Control thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <wirelag/base/result.hpp>

namespace wirelag {

class LogFile {
 public:
  using Complain = std::function<void(const std::string& sentence)>;

  /// `path`: a file that is appended to and made when missing, "stderr" or "stdout". Fails naming
  /// the path and the reason. `complain` hears of later write errors (default: a line on stderr).
  static Result<LogFile> open(const std::string& path, Complain complain = {});
  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  ~LogFile();

  /// Whole lines, each with its newline.
  void write(std::string_view lines);
  /// Opens the path again, so that a renamed file is let go of. When that fails the old file stays
  /// in use and the failure is reported. Nothing to do for stderr and stdout.
  void reopen();

 private:
  LogFile(std::string path, int fd, Complain complain);
  void fail(const std::string& sentence);
  [[nodiscard]] bool is_stream() const;

  std::string path_;
  int fd_ = -1;
  Complain complain_;
  bool failing_ = false;
};

}  // namespace wirelag
