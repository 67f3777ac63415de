#include "packets.hpp"

#include <iterator>

namespace wirelag::mysql {

std::string_view command_name(std::uint8_t command) {
  static constexpr std::string_view kNames[] = {"COM_SLEEP",
                                                "COM_QUIT",
                                                "COM_INIT_DB",
                                                "COM_QUERY",
                                                "COM_FIELD_LIST",
                                                "COM_CREATE_DB",
                                                "COM_DROP_DB",
                                                "COM_REFRESH",
                                                "COM_SHUTDOWN",
                                                "COM_STATISTICS",
                                                "COM_PROCESS_INFO",
                                                "COM_CONNECT",
                                                "COM_PROCESS_KILL",
                                                "COM_DEBUG",
                                                "COM_PING",
                                                "COM_TIME",
                                                "COM_DELAYED_INSERT",
                                                "COM_CHANGE_USER",
                                                "COM_BINLOG_DUMP",
                                                "COM_TABLE_DUMP",
                                                "COM_CONNECT_OUT",
                                                "COM_REGISTER_SLAVE",
                                                "COM_STMT_PREPARE",
                                                "COM_STMT_EXECUTE",
                                                "COM_STMT_SEND_LONG_DATA",
                                                "COM_STMT_CLOSE",
                                                "COM_STMT_RESET",
                                                "COM_SET_OPTION",
                                                "COM_STMT_FETCH",
                                                "COM_DAEMON",
                                                "COM_BINLOG_DUMP_GTID",
                                                "COM_RESET_CONNECTION"};
  if (command == kBulkExecute) return "COM_STMT_BULK_EXECUTE";
  return command < std::size(kNames) ? kNames[command] : std::string_view();
}

Answer answer_of(std::uint8_t command) {
  switch (command) {
    case kQuery:
    case kProcessInfo:
    case kStmtExecute:
    case kBulkExecute: return kResult;
    case kStmtFetch: return kRows;
    case kFieldList: return kFields;
    case kStmtPrepare: return kPrepared;
    case kStatistics: return kText;
    case kBinlogDump:
    case kBinlogDumpGtid: return kStream;
    case kChangeUser: return kLogin;
    default: return kOk;
  }
}

bool has_no_answer(std::uint8_t command) {
  return command == kQuit || command == kStmtClose || command == kStmtSendLongData;
}

std::uint64_t little(std::string_view bytes, std::size_t at, std::size_t n) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < n && at + i < bytes.size(); ++i) {
    value |= std::uint64_t{static_cast<std::uint8_t>(bytes[at + i])} << (8 * i);
  }
  return value;
}

std::uint64_t length_encoded(std::string_view bytes, std::size_t& at) {
  const auto first = static_cast<std::uint8_t>(little(bytes, at, 1));
  const std::size_t more = first == 0xfc ? 2 : first == 0xfd ? 3 : first == 0xfe ? 8 : 0;
  const std::uint64_t value = more > 0 ? little(bytes, at + 1, more) : first;
  at += 1 + more;
  return value;
}

bool is_told_by(std::uint8_t command, std::uint64_t length) {
  constexpr std::uint64_t kWithNumber = 5;
  return command != kInitDb && command != kChangeUser && length >= kWithNumber;
}

bool may_begin(Bytes bytes, Direction direction) {
  if (bytes.size() < 5) return false;
  const std::string_view text = as_text(bytes);
  const std::uint64_t length = little(text, 0, 3);
  if (direction == Direction::s2c) return length > 0 && bytes[3] == 1 && length + 4 <= bytes.size();
  return length + 4 == bytes.size() && bytes[3] == 0 && !command_name(bytes[4]).empty();
}

}  // namespace wirelag::mysql
