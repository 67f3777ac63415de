// Where a command's result and its complaints go.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <wirelag/base/result.hpp>

namespace wirelag::app {

/// "wirelag: <sentence>" on stderr; returns the exit status 1.
int fail(const std::string& sentence);

/// "wirelag: <sentence>" on stderr, of something that the report is made in spite of.
void warn(const std::string& sentence);

/// A result that is written piece by piece, to a file or to stdout when its path is empty or "-". A file
/// appears whole or not at all: until finish() it has another name, which is gone if finish() never comes.
class Output {
 public:
  explicit Output(std::string path);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  /// Nothing more is written after a piece that could not be.
  void write(std::string_view piece);
  /// Why it is not all there, if so.
  [[nodiscard]] Status finish();

 private:
  [[nodiscard]] bool to_stdout() const { return path_.empty() || path_ == "-"; }
  void give_up();

  std::string path_;
  std::string target_;     ///< what is written to
  bool replaces_ = false;  ///< `target_` takes the place of `path_` when it is whole
  std::FILE* file_ = nullptr;
  int error_ = 0;  ///< the first errno
};

/// All of a result at once.
[[nodiscard]] Status write_output(const std::string& path, std::string_view text);

}  // namespace wirelag::app
