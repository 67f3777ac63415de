#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/serve/log_file.hpp>

namespace wirelag {
namespace {

namespace fs = std::filesystem;

struct LogFileTest : testing::Test {
  fs::path directory = fs::temp_directory_path() / ("wirelag-log-" + std::to_string(getpid()));
  std::vector<std::string> complaints;

  LogFileTest() { fs::create_directories(directory); }
  ~LogFileTest() override { fs::remove_all(directory); }

  Result<LogFile> open(const fs::path& path) {
    return LogFile::open(path, [this](const std::string& s) { complaints.push_back(s); });
  }
  static std::string content(const fs::path& path) {
    std::ifstream in(path);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
  }
};

TEST_F(LogFileTest, appends_to_what_is_there) {
  const fs::path path = directory / "a.log";
  std::ofstream(path) << "old\n";
  {
    LogFile log = open(path).value();
    log.write("one\n");
    log.write("two\nthree\n");
  }
  EXPECT_EQ(content(path), "old\none\ntwo\nthree\n");
  EXPECT_TRUE(complaints.empty());
}

TEST_F(LogFileTest, after_a_rotation_reopen_goes_on_in_a_new_file) {
  const fs::path path = directory / "a.log";
  LogFile log = open(path).value();
  log.write("before\n");
  fs::rename(path, directory / "a.log.1");
  log.write("between\n");
  log.reopen();
  log.write("after\n");
  EXPECT_EQ(content(directory / "a.log.1"), "before\nbetween\n");
  EXPECT_EQ(content(path), "after\n");
}

TEST_F(LogFileTest, a_reopen_that_fails_keeps_the_old_file_and_says_so_once) {
  const fs::path path = directory / "sub" / "a.log";
  fs::create_directories(path.parent_path());
  LogFile log = open(path).value();
  fs::rename(path.parent_path(), directory / "gone");
  log.reopen();
  log.reopen();
  log.write("still here\n");
  EXPECT_EQ(content(directory / "gone" / "a.log"), "still here\n");
  ASSERT_EQ(complaints.size(), 1U);
  EXPECT_EQ(complaints[0], "cannot reopen the log " + path.string() +
                               ": No such file or directory; writing to the old file");
}

TEST_F(LogFileTest, that_cannot_be_opened_is_an_error_with_its_path) {
  const auto result = open(directory);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error(), "cannot open the log " + directory.string() + ": Is a directory");
}

TEST_F(LogFileTest, a_full_disk_is_reported_once_and_again_only_after_it_worked) {
  // /dev/full refuses every write as a full disk does.
  LogFile log = open("/dev/full").value();
  for (int i = 0; i < 3; ++i) log.write("line\n");
  ASSERT_EQ(complaints.size(), 1U);
  EXPECT_THAT(complaints[0],
              testing::StartsWith("cannot write to the log /dev/full: No space left"));
  log.reopen();
  log.write("line\n");
  EXPECT_EQ(complaints.size(), 2U);
}

TEST_F(LogFileTest, a_write_that_fails_in_the_middle_works_again_when_there_is_room) {
  // GIVEN a limit that lets only the beginning through (as a disk that fills up)
  const fs::path path = directory / "a.log";
  LogFile log = open(path).value();
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{4, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &tight);
  log.write("0123456789\n");
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  // THEN it is reported, and the next line is written
  ASSERT_EQ(complaints.size(), 1U);
  EXPECT_THAT(complaints[0], testing::HasSubstr("File too large"));
  log.write("next\n");
  EXPECT_THAT(content(path), testing::EndsWith("next\n"));
  EXPECT_EQ(complaints.size(), 1U);
}

TEST_F(LogFileTest, stderr_is_a_place_and_survives_reopen_and_the_end_of_the_log) {
  testing::internal::CaptureStderr();
  {
    LogFile log = open("stderr").value();
    log.write("one\n");
    log.reopen();
    LogFile moved = std::move(log);
    moved.write("two\n");
  }
  ASSERT_EQ(::write(STDERR_FILENO, "three\n", 6), 6);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "one\ntwo\nthree\n");
}

}  // namespace
}  // namespace wirelag
