// The DNS message as it lies on the wire, and what wirelag reads from it.
//
//   +--------+----------+-----------+--------------+---------------+
//   | header | question | answer RR | authority RR | additional RR |     RFC 1035 section 4.1
//   | 12 B   | qdcount  | ancount   | nscount      | arcount       |     EDNS: RFC 6891
//   +--------+----------+-----------+--------------+---------------+
//
// Two readers: decode_message() is for the data path (header, first question, a walk over the
// records; no allocation); decode_answers() is for the control path (the answer section as text).
// Both are functions over bytes without state, and take any bytes: a name is at most 255 octets
// long and takes at most DnsName::kMaxPointers jumps, which ends loops.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <wirelag/base/ip.hpp>
#include <wirelag/base/types.hpp>

namespace wirelag {

/// Its length has 16 bits over TCP (RFC 7766 section 8) and in a UDP header.
inline constexpr std::size_t kLargestDnsMessage = 65535;

/// Record types (IANA "DNS Parameters") that wirelag looks into.
namespace dns_type {
inline constexpr std::uint16_t a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16,
                               aaaa = 28, srv = 33, dname = 39, opt = 41, rrsig = 46, svcb = 64,
                               https = 65, any = 255;
}

/// RFC 1035 section 4.1.1; opcode 5 is RFC 2136, 4 is RFC 1996, 6 is RFC 8490.
struct DnsHeader {
  static constexpr std::size_t kSize = 12;

  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::uint16_t qdcount = 0;
  std::uint16_t ancount = 0;
  std::uint16_t nscount = 0;
  std::uint16_t arcount = 0;

  [[nodiscard]] bool is_response() const { return (flags & 0x8000) != 0; }
  [[nodiscard]] std::uint8_t opcode() const { return (flags >> 11) & 0x0f; }
  [[nodiscard]] bool truncated() const { return (flags & 0x0200) != 0; }
  [[nodiscard]] bool recursion_available() const { return (flags & 0x0080) != 0; }
  [[nodiscard]] std::uint8_t rcode() const { return flags & 0x0f; }
  /// Whether the opcode has been assigned: false hints that the bytes are not DNS.
  [[nodiscard]] bool known_opcode() const { return opcode() <= 6 && opcode() != 3; }
};

/// Why decoding ended before the message did.
enum class DnsDefect : std::uint8_t {
  none,
  ended_early,  ///< the bytes end inside something the counts promise
  bad_name,     ///< pointer into the header, loop, label type unknown, more than 255 octets
  odd_pointer,  ///< a name was read through a pointer that does not point to before it
};

/// A domain name as text in a fixed place: lower case, no final dot, "." for the root. A byte in a
/// label that is a dot, a backslash or not a graphic ASCII character is written \DDD (RFC 1035
/// section 5.1).
class DnsName {
 public:
  static constexpr std::size_t kMaxWireOctets = 255;  ///< RFC 1035 section 2.3.4
  static constexpr std::size_t kMaxText = 4 * kMaxWireOctets;
  static constexpr int kMaxPointers = 127;  ///< as many labels as a name can have

  [[nodiscard]] std::string_view text() const { return {text_.data(), length_}; }
  void clear() { length_ = 0; }

  /// Reads the name that begins at message[at]; `end` is set to the first byte after it (after the
  /// first pointer). Empty on a defect other than odd_pointer: RFC 1035 section 4.1.4 allows prior
  /// occurrences only, but resolvers follow any pointer that leads to an end.
  DnsDefect read(Bytes message, std::size_t at, std::size_t& end);

 private:
  void append_label(Bytes label);

  std::array<char, kMaxText> text_;
  std::size_t length_ = 0;
};

/// What the data path needs of a message. Large because of the name: keep one and reuse it.
struct DnsMessage {
  DnsHeader header;
  DnsName qname;  ///< empty unless has_question; empty too when it cannot be read
  std::uint16_t qtype = 0;
  std::uint16_t qclass = 0;
  bool has_question = false;    ///< the first question is there: type and class are known
  std::uint16_t rcode = 0;      ///< all 12 bits with EDNS, else the header's four
  std::uint16_t edns_size = 0;  ///< UDP payload size of the OPT record (RFC 6891), 0 without one
  /// The answer section has records, and none of the type asked for. Whose they are is not looked at.
  bool other_types_only = false;
  bool has_alias = false;  ///< one of them leads on
  DnsDefect defect = DnsDefect::none;
};

/// False when there are not even the bytes of a header; `out` is then undefined. A defect later in
/// the message leaves what lies before it decoded. Bytes after the last record are ignored.
[[nodiscard]] bool decode_message(Bytes message, DnsMessage& out);

/// A record of the answer section.
struct DnsRecord {
  std::string name;  ///< written like DnsName
  std::uint16_t type = 0;
  std::uint16_t klass = 0;
  std::uint32_t ttl = 0;
  /// A and AAAA: address; CNAME, NS, PTR: name; MX "10 mail.example"; TXT: quoted strings;
  /// SRV "priority weight port target"; SOA "mname rname serial refresh retry expire minimum";
  /// HTTPS and SVCB "1 target alpn=h2,h3 port=8443"; others as RFC 3597 section 5: "\# 3 0a0b0c".
  std::string data;

  bool operator==(const DnsRecord&) const = default;
};

/// The answer section, as far as the message is intact. Control path.
[[nodiscard]] std::vector<DnsRecord> decode_answers(Bytes message);
/// The addresses of its A and AAAA records, and those that its HTTPS records hint at. Control path.
[[nodiscard]] std::vector<IpAddress> decode_addresses(Bytes message);

/// "A", "HTTPS" ... ; "TYPE999" when it has no name here (RFC 3597). Control path.
[[nodiscard]] std::string type_name(std::uint16_t type);
/// "NOERROR", "NXDOMAIN" ... ; "RCODE13" when not assigned. Control path.
[[nodiscard]] std::string rcode_name(std::uint16_t rcode);

}  // namespace wirelag
