// decode_message(): header, first question, and a walk over the rest that reads only what tells
// whether the message is whole, and the rcode bits that EDNS adds.
#include <wirelag/base/cursor.hpp>

#include "records.hpp"

namespace wirelag {

DnsHeader read_header(Bytes message) {
  ByteCursor in(message);
  DnsHeader h;
  h.id = in.u16();
  h.flags = in.u16();
  h.qdcount = in.u16();
  h.ancount = in.u16();
  h.nscount = in.u16();
  h.arcount = in.u16();
  return h;
}

DnsDefect skip_name(Bytes message, std::size_t& at) {
  const std::size_t start = at;
  std::size_t here = at;
  while (here < message.size()) {
    const std::uint8_t head = message[here];
    if (head >= 0xc0) {
      if (here + 1 >= message.size()) return DnsDefect::ended_early;
      at = here + 2;
      return DnsDefect::none;
    }
    if (head >= 0x40) return DnsDefect::bad_name;
    here += 1U + head;
    if (here - start > DnsName::kMaxWireOctets) return DnsDefect::bad_name;
    if (head == 0) {
      at = here;
      return DnsDefect::none;
    }
  }
  return DnsDefect::ended_early;
}

DnsDefect read_record(Bytes message, std::size_t& at, RecordHeader& out) {
  ByteCursor in(message.subspan(at));
  out.type = in.u16();
  out.klass = in.u16();
  out.ttl = in.u32();
  out.data_size = in.u16();
  out.data_at = at + 10;
  in.skip(out.data_size);
  if (!in.ok()) return DnsDefect::ended_early;
  at = out.data_at + out.data_size;
  return DnsDefect::none;
}

namespace {

/// A name that cannot be read does not hide the type behind it.
DnsDefect read_first_question(Bytes message, std::size_t& at, DnsMessage& out) {
  const std::size_t start = at;
  const DnsDefect defect = out.qname.read(message, start, at);
  if (defect == DnsDefect::ended_early) return defect;
  if (defect == DnsDefect::bad_name) {
    at = start;
    if (skip_name(message, at) != DnsDefect::none) return defect;
  }
  ByteCursor in(message.subspan(at));
  out.qtype = in.u16();
  out.qclass = in.u16();
  if (!in.ok()) {
    out.qname.clear();
    out.qtype = 0;
    return DnsDefect::ended_early;
  }
  out.has_question = true;
  at += 4;
  return defect;
}

DnsDefect skip_question(Bytes message, std::size_t& at) {
  const DnsDefect defect = skip_name(message, at);
  if (defect != DnsDefect::none) return defect;
  if (message.size() - at < 4) return DnsDefect::ended_early;
  at += 4;
  return DnsDefect::none;
}

/// CNAME (RFC 1034 section 3.6.2), DNAME (RFC 6672) and the signatures of either.
bool is_alias(std::uint16_t type) {
  return type == dns_type::cname || type == dns_type::dname || type == dns_type::rrsig;
}

/// Asks for more than one type, or for none: RFC 6895 section 3.1.
bool is_meta(std::uint16_t qtype) {
  constexpr std::uint16_t kLowest = 128, kHighest = 255;
  return qtype >= kLowest && qtype <= kHighest;
}

/// RFC 6891 section 6.1.3: the upper eight bits of the rcode are the OPT record's first TTL byte, its
/// class is the UDP payload size.
void take_edns(const RecordHeader& opt, DnsMessage& out) {
  out.edns_size = opt.klass;
  out.rcode = static_cast<std::uint16_t>((opt.ttl >> 24) << 4 | out.header.rcode());
}

DnsDefect walk(Bytes message, DnsMessage& out) {
  std::size_t at = DnsHeader::kSize;
  const DnsHeader& h = out.header;
  DnsDefect question = DnsDefect::none;
  if (h.qdcount > 0) {
    question = read_first_question(message, at, out);
    if (question != DnsDefect::none && !out.has_question) return question;
  }
  for (std::uint32_t i = 1; i < h.qdcount; ++i) {
    const DnsDefect defect = skip_question(message, at);
    if (defect != DnsDefect::none) return defect;
  }
  bool has_asked = h.ancount == 0 || !out.has_question || is_meta(out.qtype);
  bool has_alias = false;
  const std::uint32_t records = std::uint32_t{h.ancount} + h.nscount + h.arcount;
  for (std::uint32_t i = 0; i < records; ++i) {
    RecordHeader record;
    DnsDefect defect = skip_name(message, at);
    if (defect == DnsDefect::none) defect = read_record(message, at, record);
    if (defect != DnsDefect::none) return defect;
    if (record.type == dns_type::opt) take_edns(record, out);
    if (i >= h.ancount) continue;
    has_asked = has_asked || record.type == out.qtype;
    has_alias = has_alias || is_alias(record.type);
  }
  out.other_types_only = !has_asked;
  out.has_alias = has_alias;
  return question;
}

}  // namespace

bool decode_message(Bytes message, DnsMessage& out) {
  if (message.size() < DnsHeader::kSize) return false;
  out.header = read_header(message);
  out.qname.clear();
  out.qtype = out.qclass = 0;
  out.has_question = false;
  out.rcode = out.header.rcode();
  out.edns_size = 0;
  out.other_types_only = out.has_alias = false;
  out.defect = walk(message, out);
  return true;
}

}  // namespace wirelag
