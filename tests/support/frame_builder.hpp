// Frames for tests, written layer by layer in the order of the wire:
//
//   const auto bytes = FrameBuilder().ethernet().vlan(42).ipv4("10.0.0.1", "10.0.0.2")
//                          .tcp(40000, 80, {.seq = 1, .flags = tcp_flag::ack})
//                          .payload("GET / HTTP/1.1\r\n\r\n").bytes();
//   const Frame frame = frame_of(bytes, {.time_ns = 5, .number = 1});
//
// Each layer writes its protocol number into the layer before it; bytes() fills in the length
// fields. Checksums stay 0: nothing here checks them.
#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <wirelag/base/ip.hpp>
#include <wirelag/decode/packet.hpp>
#include <wirelag/ingest/frame.hpp>

namespace wirelag::test {

using Octets = std::vector<std::uint8_t>;

struct Ipv4Fields {
  std::uint16_t id = 1;
  std::uint16_t fragment_offset = 0;  ///< in bytes
  bool more_fragments = false;
  std::uint8_t options_words = 0;  ///< 4-byte words of NOP options
};

struct Ipv6FragmentFields {
  std::uint32_t id = 1;
  std::uint16_t offset = 0;  ///< in bytes
  bool more = false;
};

struct TcpFields {
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint8_t flags = tcp_flag::ack;
  std::uint16_t window = 65535;
  Octets options{};  ///< padded with zeros to a multiple of 4
};

struct FrameFields {
  TimeNs time_ns = 0;
  FrameNumber number = 1;
  LinkType link = LinkType::ethernet;
  std::uint32_t cut_bytes = 0;  ///< bytes that a snaplen took off the end: wire_length is longer
};

/// A frame over `bytes`, which must outlive it.
inline Frame frame_of(const Octets& bytes, const FrameFields& fields = {}) {
  Frame frame;
  frame.bytes = bytes;
  frame.wire_length = static_cast<std::uint32_t>(bytes.size()) + fields.cut_bytes;
  frame.time_ns = fields.time_ns;
  frame.number = fields.number;
  frame.link = fields.link;
  return frame;
}

inline IpAddress address(std::string_view text) {
  IpAddress ip;
  [[maybe_unused]] const bool valid = parse_ip(text, ip);
  assert(valid);
  return ip;
}

class FrameBuilder {
 public:
  // Link layers. The first one decides Frame::link.
  FrameBuilder& ethernet();
  FrameBuilder& ethernet_length();  ///< 802.3: a length instead of a type, then llc_snap() or llc()
  FrameBuilder& linux_sll(std::uint16_t arp_hardware = 1);
  FrameBuilder& linux_sll2(std::uint16_t arp_hardware = 1);
  FrameBuilder& bsd_null(std::uint32_t family, bool big_endian = false);
  FrameBuilder& vlan(std::uint16_t id, std::uint16_t ethertype = 0x8100);
  FrameBuilder& llc(std::uint8_t dsap, std::uint8_t ssap, std::uint8_t control = 3);
  FrameBuilder& llc_snap();
  FrameBuilder& pppoe();
  FrameBuilder& ppp();
  FrameBuilder& mpls(std::uint32_t label, bool bottom = true);
  FrameBuilder& ethertype(std::uint16_t type);  ///< states the type of what raw() then appends

  // IP
  FrameBuilder& ipv4(std::string_view src, std::string_view dst, const Ipv4Fields& fields = {});
  FrameBuilder& ipv6(std::string_view src, std::string_view dst);
  /// Hop-by-hop, routing or destination options header of (1 + `words`) * 8 bytes.
  FrameBuilder& ipv6_extension(std::uint8_t protocol, std::uint8_t words = 0);
  FrameBuilder& ipv6_fragment(const Ipv6FragmentFields& fields);
  FrameBuilder& authentication_header();
  FrameBuilder& ip_protocol(std::uint8_t protocol);  ///< states the protocol of what raw() appends

  // Tunnels
  FrameBuilder& gre(std::uint16_t flags = 0);  ///< 0x8000 checksum, 0x2000 key, 0x1000 sequence
  FrameBuilder& gre_pptp();
  FrameBuilder& erspan_1();
  FrameBuilder& erspan_2();
  FrameBuilder& erspan_3(bool subheader = false, std::uint16_t frame_type = 0);
  FrameBuilder& vxlan(std::uint32_t vni);
  FrameBuilder& vxlan_gpe(std::uint32_t vni);
  FrameBuilder& geneve(std::uint32_t vni, std::uint8_t option_words = 0);
  FrameBuilder& gtp_u(std::uint32_t teid, bool extension = false);
  FrameBuilder& ether_ip();

  // Transport and payload
  FrameBuilder& tcp(std::uint16_t src_port, std::uint16_t dst_port, const TcpFields& fields = {});
  FrameBuilder& udp(std::uint16_t src_port, std::uint16_t dst_port);
  FrameBuilder& payload(std::string_view text);
  FrameBuilder& raw(const Octets& octets);
  FrameBuilder& pad_to(std::size_t size);  ///< trailing zeros that belong to no layer

  [[nodiscard]] Octets bytes() const;
  [[nodiscard]] LinkType link() const { return link_; }

 private:
  /// The protocol numbers of one layer in the registries a layer before it may use.
  struct Number {
    int ethertype = -1;
    int ip = -1;
    int ppp = -1;
    int vxlan_gpe = -1;
  };
  enum class Registry : std::uint8_t { none, ethertype, ip, ppp, vxlan_gpe };
  struct LengthField {
    std::size_t field;
    std::size_t from;  ///< the length counts the bytes from here to the end
  };

  void put8(std::uint32_t v) { out_.push_back(static_cast<std::uint8_t>(v)); }
  void put16(std::uint32_t v) { put8(v >> 8), put8(v); }
  void put32(std::uint32_t v) { put16(v >> 16), put16(v); }
  void zeros(std::size_t n) { out_.insert(out_.end(), n, 0); }
  void put_number(std::size_t at, int number, std::size_t size);
  /// The layer now being written is announced in the field of the layer before.
  void announce(const Number& number);
  /// The next layer's number goes into the field that begins at the end of what is written so far.
  void next_in(Registry registry, std::size_t size);
  void next_at(Registry registry, std::size_t field, std::size_t size);
  void length_here(std::size_t from);

  Octets out_;
  std::vector<LengthField> lengths_;
  std::size_t padding_ = 0;
  std::size_t number_at_ = 0;
  std::size_t number_size_ = 0;
  Registry registry_ = Registry::none;
  LinkType link_ = LinkType::raw_ip;
};

// ---- implementation -------------------------------------------------------------------------

inline void FrameBuilder::put_number(std::size_t at, int number, std::size_t size) {
  assert(number >= 0 && "the layer before cannot carry this one");
  if (size == 2) out_[at++] = static_cast<std::uint8_t>(number >> 8);
  out_[at] = static_cast<std::uint8_t>(number);
}

inline void FrameBuilder::announce(const Number& number) {
  switch (registry_) {
    case Registry::none: break;
    case Registry::ethertype: put_number(number_at_, number.ethertype, number_size_); break;
    case Registry::ip: put_number(number_at_, number.ip, number_size_); break;
    case Registry::ppp: put_number(number_at_, number.ppp, number_size_); break;
    case Registry::vxlan_gpe: put_number(number_at_, number.vxlan_gpe, number_size_); break;
  }
  registry_ = Registry::none;
}

inline void FrameBuilder::next_at(Registry registry, std::size_t field, std::size_t size) {
  registry_ = registry;
  number_at_ = field;
  number_size_ = size;
}

inline void FrameBuilder::next_in(Registry registry, std::size_t size) {
  next_at(registry, out_.size(), size);
  zeros(size);
}

inline void FrameBuilder::length_here(std::size_t from) {
  lengths_.push_back({out_.size(), from});
  zeros(2);
}

inline FrameBuilder& FrameBuilder::ethernet() {
  announce({.ethertype = 0x6558, .ip = 143, .vxlan_gpe = 3});
  if (out_.empty()) link_ = LinkType::ethernet;
  raw({0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01});
  next_in(Registry::ethertype, 2);
  return *this;
}

inline FrameBuilder& FrameBuilder::ethernet_length() {
  announce({.ethertype = 0x6558, .ip = 143, .vxlan_gpe = 3});
  if (out_.empty()) link_ = LinkType::ethernet;
  raw({0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01});
  length_here(out_.size() + 2);
  return *this;
}

inline FrameBuilder& FrameBuilder::linux_sll(std::uint16_t arp_hardware) {
  link_ = LinkType::linux_sll;
  put16(0), put16(arp_hardware), put16(6), zeros(8);
  next_in(Registry::ethertype, 2);
  return *this;
}

inline FrameBuilder& FrameBuilder::linux_sll2(std::uint16_t arp_hardware) {
  link_ = LinkType::linux_sll2;
  next_in(Registry::ethertype, 2);
  put16(0), put32(1), put16(arp_hardware), put8(0), put8(6), zeros(8);
  return *this;
}

inline FrameBuilder& FrameBuilder::bsd_null(std::uint32_t family, bool big_endian) {
  link_ = LinkType::bsd_null;
  put32(big_endian ? family : __builtin_bswap32(family));
  return *this;
}

inline FrameBuilder& FrameBuilder::vlan(std::uint16_t id, std::uint16_t type) {
  announce({.ethertype = type});
  put16(id);
  next_in(Registry::ethertype, 2);
  return *this;
}

inline FrameBuilder& FrameBuilder::llc(std::uint8_t dsap, std::uint8_t ssap, std::uint8_t control) {
  put8(dsap), put8(ssap), put8(control);
  return *this;
}

inline FrameBuilder& FrameBuilder::llc_snap() {
  llc(0xaa, 0xaa);
  zeros(3);
  next_in(Registry::ethertype, 2);
  return *this;
}

inline FrameBuilder& FrameBuilder::pppoe() {
  announce({.ethertype = 0x8864});
  put8(0x11), put8(0), put16(7);
  length_here(out_.size() + 2);
  next_in(Registry::ppp, 2);
  return *this;
}

inline FrameBuilder& FrameBuilder::ppp() {
  announce({.ethertype = 0x880b});
  put16(0xff03);
  next_in(Registry::ppp, 2);
  return *this;
}

inline FrameBuilder& FrameBuilder::mpls(std::uint32_t label, bool bottom) {
  announce({.ethertype = 0x8847, .ip = 137, .ppp = 0x0281});
  put32(label << 12 | (bottom ? 0x100u : 0u) | 64);
  return *this;
}

inline FrameBuilder& FrameBuilder::ethertype(std::uint16_t type) {
  announce({.ethertype = type});
  return *this;
}

inline FrameBuilder& FrameBuilder::ipv4(std::string_view src, std::string_view dst,
                                        const Ipv4Fields& fields) {
  announce({.ethertype = 0x0800, .ip = 4, .ppp = 0x0021, .vxlan_gpe = 1});
  const std::size_t from = out_.size();
  put8(0x45u + fields.options_words), put8(0);
  length_here(from);
  put16(fields.id);
  put16((fields.more_fragments ? 0x2000u : 0u) | fields.fragment_offset / 8u);
  put8(64);
  next_in(Registry::ip, 1);
  put16(0);
  for (const std::string_view text : {src, dst}) {
    const IpAddress ip = address(text);
    out_.insert(out_.end(), ip.bytes.begin() + 12, ip.bytes.end());
  }
  out_.insert(out_.end(), fields.options_words * 4u, 0x01);
  return *this;
}

inline FrameBuilder& FrameBuilder::ipv6(std::string_view src, std::string_view dst) {
  announce({.ethertype = 0x86dd, .ip = 41, .ppp = 0x0057, .vxlan_gpe = 2});
  const std::size_t from = out_.size();
  put32(0x60000000);
  length_here(from + 40);
  next_in(Registry::ip, 1);
  put8(64);
  for (const std::string_view text : {src, dst}) {
    const IpAddress ip = address(text);
    out_.insert(out_.end(), ip.bytes.begin(), ip.bytes.end());
  }
  return *this;
}

inline FrameBuilder& FrameBuilder::ipv6_extension(std::uint8_t protocol, std::uint8_t words) {
  announce({.ip = protocol});
  next_in(Registry::ip, 1);
  put8(words);
  zeros(6 + words * 8u);
  return *this;
}

inline FrameBuilder& FrameBuilder::ipv6_fragment(const Ipv6FragmentFields& fields) {
  announce({.ip = 44});
  next_in(Registry::ip, 1);
  put8(0), put16(fields.offset | (fields.more ? 1u : 0u)), put32(fields.id);
  return *this;
}

inline FrameBuilder& FrameBuilder::authentication_header() {
  announce({.ip = 51});
  next_in(Registry::ip, 1);
  put8(4);
  zeros(22);
  return *this;
}

inline FrameBuilder& FrameBuilder::ip_protocol(std::uint8_t protocol) {
  announce({.ip = protocol});
  return *this;
}

inline FrameBuilder& FrameBuilder::gre(std::uint16_t flags) {
  announce({.ip = 47});
  put16(flags);
  next_in(Registry::ethertype, 2);
  if ((flags & 0xc000) != 0) put32(0);
  if ((flags & 0x2000) != 0) put32(0x1234);
  if ((flags & 0x1000) != 0) put32(1);
  return *this;
}

inline FrameBuilder& FrameBuilder::gre_pptp() {
  announce({.ip = 47});
  put16(0x3081), put16(0x880b);
  length_here(out_.size() + 12);
  put16(7), put32(1), put32(2);
  next_in(Registry::ppp, 2);
  return *this;
}

inline FrameBuilder& FrameBuilder::erspan_1() {
  announce({.ip = 47});
  put16(0), put16(0x88be);
  return *this;
}

inline FrameBuilder& FrameBuilder::erspan_2() {
  announce({.ip = 47});
  put16(0x1000), put16(0x88be), put32(1);
  put32(0x10000001), put32(0);
  return *this;
}

inline FrameBuilder& FrameBuilder::erspan_3(bool subheader, std::uint16_t frame_type) {
  announce({.ip = 47});
  put16(0x1000), put16(0x22eb), put32(1);
  put32(0x20000001), put32(0), put16(0);
  put16(static_cast<std::uint16_t>(frame_type << 10 | (subheader ? 1 : 0)));
  if (subheader) zeros(8);
  return *this;
}

inline FrameBuilder& FrameBuilder::vxlan(std::uint32_t vni) {
  put32(0x08000000), put32(vni << 8);
  return *this;
}

inline FrameBuilder& FrameBuilder::vxlan_gpe(std::uint32_t vni) {
  put8(0x0c), put16(0);
  next_in(Registry::vxlan_gpe, 1);
  put32(vni << 8);
  return *this;
}

inline FrameBuilder& FrameBuilder::geneve(std::uint32_t vni, std::uint8_t option_words) {
  put8(option_words), put8(0);
  next_in(Registry::ethertype, 2);
  put32(vni << 8);
  zeros(option_words * 4u);
  return *this;
}

inline FrameBuilder& FrameBuilder::gtp_u(std::uint32_t teid, bool extension) {
  put8(extension ? 0x34 : 0x30), put8(255);
  length_here(out_.size() + 6);
  put32(teid);
  if (extension) raw({0, 1, 0, 0x85, 1, 0x10, 0x09, 0});  // PDU session container
  return *this;
}

inline FrameBuilder& FrameBuilder::ether_ip() {
  announce({.ip = 97});
  put16(0x3000);
  return *this;
}

inline FrameBuilder& FrameBuilder::tcp(std::uint16_t src_port, std::uint16_t dst_port,
                                       const TcpFields& fields) {
  announce({.ip = 6});
  const std::size_t words = (fields.options.size() + 3) / 4;
  put16(src_port), put16(dst_port), put32(fields.seq), put32(fields.ack);
  put8(static_cast<std::uint32_t>(5 + words) << 4), put8(fields.flags), put16(fields.window);
  put32(0);
  raw(fields.options);
  zeros(words * 4 - fields.options.size());
  return *this;
}

inline FrameBuilder& FrameBuilder::udp(std::uint16_t src_port, std::uint16_t dst_port) {
  announce({.ip = 17});
  const std::size_t from = out_.size();
  put16(src_port), put16(dst_port);
  length_here(from);
  put16(0);
  return *this;
}

inline FrameBuilder& FrameBuilder::payload(std::string_view text) {
  out_.insert(out_.end(), text.begin(), text.end());
  return *this;
}

inline FrameBuilder& FrameBuilder::raw(const Octets& octets) {
  out_.insert(out_.end(), octets.begin(), octets.end());
  return *this;
}

inline FrameBuilder& FrameBuilder::pad_to(std::size_t size) {
  padding_ = size;
  return *this;
}

inline Octets FrameBuilder::bytes() const {
  Octets done = out_;
  for (const LengthField& l : lengths_) {
    const std::size_t length = done.size() - l.from;
    done[l.field] = static_cast<std::uint8_t>(length >> 8);
    done[l.field + 1] = static_cast<std::uint8_t>(length);
  }
  if (done.size() < padding_) done.resize(padding_, 0);
  return done;
}

}  // namespace wirelag::test
