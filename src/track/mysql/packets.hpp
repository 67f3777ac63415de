// Numbers and layouts of MySQL's packets: little endian, lengths in 1, 3, 4 or 9 bytes.
#pragma once

#include <string_view>

#include <wirelag/base/types.hpp>

namespace wirelag::mysql {

inline constexpr std::uint32_t kLongestPacket = 0xffffff;

enum Flag : std::uint32_t {
  kConnectWithDb = 0x8,
  kCompress = 0x20,
  kProtocol41 = 0x200,
  kSsl = 0x800,
  kSecureConnection = 0x8000,
  kLengthEncodedSecret = 0x200000,
  kDeprecateEof = 0x1000000,
  kZstd = 0x4000000,
  kQueryAttributes = 0x8000000,
};

enum ServerStatus : std::uint16_t { kInTransaction = 0x1, kMoreResults = 0x8, kCursor = 0x40 };

enum Command : std::uint8_t {
  kQuit = 0x01,
  kInitDb = 0x02,
  kQuery = 0x03,
  kFieldList = 0x04,
  kStatistics = 0x09,
  kProcessInfo = 0x0a,
  kChangeUser = 0x11,
  kBinlogDump = 0x12,
  kStmtPrepare = 0x16,
  kStmtExecute = 0x17,
  kStmtSendLongData = 0x18,
  kStmtClose = 0x19,
  kStmtReset = 0x1a,
  kStmtFetch = 0x1c,
  kBinlogDumpGtid = 0x1e,
  kBulkExecute = 0xfa,
};

/// MariaDB's -1 instead of a statement's number: the one that was prepared last, whose number the
/// client may not know yet (https://mariadb.com/kb/en/com_stmt_execute/).
inline constexpr std::uint64_t kLastPrepared = 0xffffffff;

/// What an answer looks like.
enum Answer : std::uint16_t { kOk, kResult, kRows, kFields, kPrepared, kText, kStream, kLogin };

/// "COM_QUERY"; "" for a number that is no command.
[[nodiscard]] std::string_view command_name(std::uint8_t command);
[[nodiscard]] Answer answer_of(std::uint8_t command);
[[nodiscard]] bool has_no_answer(std::uint8_t command);
/// Whether the first `length` bytes of a command tell what it is for: what its names and numbers begin with.
[[nodiscard]] bool is_told_by(std::uint8_t command, std::uint64_t length);

/// `n` bytes from `at`, 0 beyond the end.
[[nodiscard]] std::uint64_t little(std::string_view bytes, std::size_t at, std::size_t n);
/// A number in its length-encoded form at `at`, which is moved behind it.
[[nodiscard]] std::uint64_t length_encoded(std::string_view bytes, std::size_t& at);

/// Whether bytes at the beginning of a segment can be a command or the first packet of an answer.
[[nodiscard]] bool may_begin(Bytes bytes, Direction direction);

}  // namespace wirelag::mysql
