// decode_answers(): the answer section as text. Control path.
#include <fmt/format.h>

#include <wirelag/base/cursor.hpp>
#include <wirelag/base/ip.hpp>

#include "records.hpp"

namespace wirelag {
namespace {

/// RDATA of one record. Names inside may point back into the whole message.
struct Rdata {
  Bytes message;
  std::size_t at = 0;
  std::size_t end = 0;

  [[nodiscard]] Bytes rest() const { return message.subspan(at, end - at); }
};

/// RFC 3597 section 5.
std::string generic(Bytes data) {
  std::string out = fmt::format("\\# {}", data.size());
  if (!data.empty()) out += ' ';
  for (const std::uint8_t b : data) out += fmt::format("{:02x}", b);
  return out;
}

bool readable(DnsDefect name) { return name == DnsDefect::none || name == DnsDefect::odd_pointer; }

/// The name at data.at, which then moves behind it; false when it is broken or leaves the RDATA.
bool read_name(Rdata& data, std::string& out) {
  DnsName name;
  std::size_t end = 0;
  if (!readable(name.read(data.message, data.at, end)) || end > data.end) return false;
  data.at = end;
  out = name.text();
  return true;
}

bool name_text(Rdata data, std::string& out) { return read_name(data, out); }

bool address_text(Rdata data, std::size_t size, std::string& out) {
  const Bytes bytes = data.rest();
  if (bytes.size() != size) return false;
  out = (size == 4 ? IpAddress::v4(bytes.data()) : IpAddress::v6(bytes.data())).text();
  return true;
}

/// `numbers` 16-bit numbers, then a name: MX has one, SRV (RFC 2782) three.
bool numbers_and_name(Rdata data, int numbers, std::string& out) {
  ByteCursor in(data.rest());
  std::string text;
  for (int i = 0; i < numbers; ++i) text += fmt::format("{} ", in.u16());
  if (!in.ok()) return false;
  data.at += 2U * static_cast<std::size_t>(numbers);
  std::string target;
  if (!read_name(data, target)) return false;
  out = text + target;
  return true;
}

bool soa_text(Rdata data, std::string& out) {
  std::string primary, mailbox;
  if (!read_name(data, primary) || !read_name(data, mailbox)) return false;
  ByteCursor in(data.rest());
  std::string text = primary + ' ' + mailbox;
  for (int i = 0; i < 5; ++i) text += fmt::format(" {}", in.u32());
  if (!in.ok()) return false;
  out = text;
  return true;
}

std::string quoted(Bytes bytes) {
  std::string out = "\"";
  for (const std::uint8_t c : bytes) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c >= ' ' && c < 0x7f) {
      out += static_cast<char>(c);
    } else {
      out += fmt::format("\\{:03}", c);
    }
  }
  return out + '"';
}

bool txt_text(Rdata data, std::string& out) {
  ByteCursor in(data.rest());
  std::string text;
  while (in.remaining() > 0) {
    const Bytes piece = in.bytes(in.u8());
    if (!in.ok()) return false;
    if (!text.empty()) text += ' ';
    text += quoted(piece);
  }
  out = text;
  return true;
}

std::string hints(Bytes value, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i + size <= value.size(); i += size) {
    if (i > 0) out += ',';
    out += (size == 4 ? IpAddress::v4(&value[i]) : IpAddress::v6(&value[i])).text();
  }
  return out;
}

std::string alpn_list(Bytes value) {
  ByteCursor in(value);
  std::string out;
  while (in.remaining() > 0) {
    const Bytes id = in.bytes(in.u8());
    if (!in.ok()) break;
    if (!out.empty()) out += ',';
    const std::string text = quoted(id);
    out += text.substr(1, text.size() - 2);
  }
  return out;
}

/// One SvcParam, RFC 9460 section 14.3.2. A value that says little to a reader is shown by its
/// length.
std::string service_parameter(std::uint16_t key, Bytes value) {
  switch (key) {
    case 1: return "alpn=" + alpn_list(value);
    case 2: return "no-default-alpn";
    case 3: return fmt::format("port={}", ByteCursor(value).u16());
    case 4: return "ipv4hint=" + hints(value, 4);
    case 5: return fmt::format("ech=({} bytes)", value.size());
    case 6: return "ipv6hint=" + hints(value, 16);
    default: return fmt::format("key{}=({} bytes)", key, value.size());
  }
}

/// Calls each(key, value) for the parameters of an HTTPS or SVCB record from `parameters` on; false when one is broken.
template <class Each>
bool each_parameter(Bytes parameters, Each&& each) {
  ByteCursor in(parameters);
  while (in.remaining() > 0) {
    const std::uint16_t key = in.u16();
    const Bytes value = in.bytes(in.u16());
    if (!in.ok()) return false;
    each(key, value);
  }
  return true;
}

bool service_text(Rdata data, std::string& out) {
  std::string text, target;
  const std::uint16_t priority = ByteCursor(data.rest()).u16();
  if (data.rest().size() < 2) return false;
  data.at += 2;
  if (!read_name(data, target)) return false;
  text = fmt::format("{} {}", priority, target);
  const bool whole = each_parameter(data.rest(), [&](std::uint16_t key, Bytes value) {
    text += ' ' + service_parameter(key, value);
  });
  if (!whole) return false;
  out = text;
  return true;
}

/// The addresses that an HTTPS record hints at (RFC 9460 section 7.3).
void add_hints(Rdata data, std::vector<IpAddress>& out) {
  constexpr std::uint16_t kIpv4Hint = 4;
  constexpr std::uint16_t kIpv6Hint = 6;
  std::string target;
  if (data.rest().size() < 2) return;
  data.at += 2;  // the priority
  if (!read_name(data, target)) return;
  const std::size_t before = out.size();
  const bool whole = each_parameter(data.rest(), [&](std::uint16_t key, Bytes value) {
    const std::size_t size = key == kIpv4Hint ? 4 : 16;
    if ((key != kIpv4Hint && key != kIpv6Hint) || value.size() % size != 0) return;
    for (std::size_t i = 0; i < value.size(); i += size) {
      out.push_back(size == 4 ? IpAddress::v4(&value[i]) : IpAddress::v6(&value[i]));
    }
  });
  if (!whole) out.resize(before);
}

std::string data_text(std::uint16_t type, const Rdata& data) {
  std::string out;
  const auto known_form = [&] {
    switch (type) {
      case dns_type::a: return address_text(data, 4, out);
      case dns_type::aaaa: return address_text(data, 16, out);
      case dns_type::cname:
      case dns_type::ns:
      case dns_type::ptr: return name_text(data, out);
      case dns_type::mx: return numbers_and_name(data, 1, out);
      case dns_type::srv: return numbers_and_name(data, 3, out);
      case dns_type::soa: return soa_text(data, out);
      case dns_type::txt: return txt_text(data, out);
      case dns_type::svcb:
      case dns_type::https: return service_text(data, out);
      default: return false;
    }
  };
  return known_form() ? out : generic(data.rest());
}

/// Calls each(name, record) for the answer section, as far as the message is intact.
template <class Each>
void each_answer(Bytes message, Each&& each) {
  if (message.size() < DnsHeader::kSize) return;
  const DnsHeader header = read_header(message);
  std::size_t at = DnsHeader::kSize;
  for (std::uint32_t i = 0; i < header.qdcount; ++i) {
    if (skip_name(message, at) != DnsDefect::none || message.size() - at < 4) return;
    at += 4;
  }
  for (std::uint32_t i = 0; i < header.ancount; ++i) {
    DnsName name;
    RecordHeader record;
    if (!readable(name.read(message, at, at)) ||
        read_record(message, at, record) != DnsDefect::none) {
      return;
    }
    each(name, record);
  }
}

}  // namespace

std::vector<DnsRecord> decode_answers(Bytes message) {
  std::vector<DnsRecord> out;
  each_answer(message, [&](const DnsName& name, const RecordHeader& record) {
    const Rdata data{message, record.data_at, record.data_at + record.data_size};
    out.push_back({std::string(name.text()), record.type, record.klass, record.ttl,
                   data_text(record.type, data)});
  });
  return out;
}

std::vector<IpAddress> decode_addresses(Bytes message) {
  std::vector<IpAddress> out;
  each_answer(message, [&](const DnsName&, const RecordHeader& record) {
    const std::uint8_t* data = message.data() + record.data_at;
    if (record.type == dns_type::a && record.data_size == 4) out.push_back(IpAddress::v4(data));
    if (record.type == dns_type::aaaa && record.data_size == 16) out.push_back(IpAddress::v6(data));
    if (record.type == dns_type::https) {
      add_hints({message, record.data_at, record.data_at + record.data_size}, out);
    }
  });
  return out;
}

}  // namespace wirelag
