// Reading the resource records of a message one after the other: RFC 1035 section 4.1.3.
#pragma once

#include <wirelag/track/dns/message.hpp>

namespace wirelag {

struct RecordHeader {
  std::uint16_t type = 0;
  std::uint16_t klass = 0;
  std::uint32_t ttl = 0;
  std::size_t data_at = 0;  ///< where RDATA begins in the message
  std::size_t data_size = 0;
};

/// Fields of the header; call with at least DnsHeader::kSize bytes.
[[nodiscard]] DnsHeader read_header(Bytes message);

/// Steps over the name at message[at] without following its pointer; where that leads is not
/// looked at.
[[nodiscard]] DnsDefect skip_name(Bytes message, std::size_t& at);

/// Reads what follows a record's name and steps over its data; `at` is left unchanged on a defect.
[[nodiscard]] DnsDefect read_record(Bytes message, std::size_t& at, RecordHeader& out);

}  // namespace wirelag
