// DNS messages made by hand, field by field, and a tracker that watches a timeline of them.
#pragma once

#include <string>
#include <vector>

#include <wirelag/track/dns/message.hpp>
#include <wirelag/track/dns/tracker.hpp>

#include "../../../support/kept.hpp"

namespace wirelag::dns_test {

using Message = std::vector<std::uint8_t>;

inline constexpr std::uint16_t kResponse = 0x8180;  // QR, RD, RA
inline constexpr std::uint16_t kQuery = 0x0100;     // RD
inline constexpr std::uint16_t kTruncated = 0x0200;

/// Writes a message in the order of the wire; the caller sees to the counts.
class Writer {
 public:
  Writer& u8(unsigned v) {
    out_.push_back(static_cast<std::uint8_t>(v));
    return *this;
  }
  Writer& u16(unsigned v) { return u8(v >> 8).u8(v & 0xff); }
  Writer& u32(std::uint32_t v) { return u16(v >> 16).u16(v & 0xffff); }
  Writer& bytes(std::string_view text) {
    for (const char c : text) u8(static_cast<std::uint8_t>(c));
    return *this;
  }
  Writer& header(unsigned id, unsigned flags, unsigned questions, unsigned answers = 0,
                 unsigned authorities = 0, unsigned additional = 0) {
    return u16(id).u16(flags).u16(questions).u16(answers).u16(authorities).u16(additional);
  }
  Writer& label(std::string_view text) {
    return u8(static_cast<unsigned>(text.size())).bytes(text);
  }
  /// "www.example" as labels and the root.
  Writer& name(std::string_view dotted) {
    while (!dotted.empty() && dotted != ".") {
      const std::size_t dot = std::min(dotted.find('.'), dotted.size());
      label(dotted.substr(0, dot));
      dotted.remove_prefix(std::min(dot + 1, dotted.size()));
    }
    return u8(0);
  }
  Writer& pointer(unsigned to) { return u16(0xc000 | to); }
  Writer& question(std::string_view qname, unsigned type, unsigned klass = 1) {
    return name(qname).u16(type).u16(klass);
  }
  /// A record's fields between its name and its data.
  Writer& record(unsigned type, std::uint32_t ttl, unsigned data_size) {
    return u16(type).u16(1).u32(ttl).u16(data_size);
  }
  /// An A record whose name points to the first question's.
  Writer& address_record(std::uint32_t address) {
    return pointer(12).record(dns_type::a, 60, 4).u32(address);
  }
  [[nodiscard]] std::size_t size() const { return out_.size(); }
  operator Message() const { return out_; }

 private:
  Message out_;
};

inline Message query(unsigned id, std::string_view qname, unsigned type = dns_type::a) {
  return Writer().header(id, kQuery, 1).question(qname, type);
}
/// NOERROR with `addresses` A records.
inline Message response(unsigned id, std::string_view qname, unsigned type = dns_type::a,
                        unsigned addresses = 1, unsigned flags = kResponse) {
  Writer w;
  w.header(id, flags, 1, addresses).question(qname, type);
  for (unsigned i = 0; i < addresses; ++i) w.address_record(0xc0000201 + i);
  return w;
}

/// A transaction with its own copies of the views.
struct Seen {
  DnsTransaction t;
  std::string qname;
  Message response;
};

class Collector final : public TransactionSink {
 public:
  void emit(TransactionRef transaction) override {
    const DnsTransaction& t = *std::get<const DnsTransaction*>(transaction);
    all.push_back(
        {test::kept(t), std::string(t.qname), Message(t.response.begin(), t.response.end())});
  }
  std::vector<Seen> all;
};

inline Endpoint endpoint(unsigned last_byte, unsigned port) {
  const std::uint8_t four[] = {192, 0, 2, static_cast<std::uint8_t>(last_byte)};
  return {IpAddress::v4(four), static_cast<std::uint16_t>(port)};
}

inline const Endpoint kClient = endpoint(10, 40000);
inline const Endpoint kResolver = endpoint(53, 53);

constexpr TimeNs ms(double t) { return static_cast<TimeNs>(t * 1e6); }
constexpr TimeNs seconds(double t) { return static_cast<TimeNs>(t * 1e9); }

inline Classifier& classifier() {
  static Classifier c(Signatures::compile({{"shop", "shop\\.example$"}}).value());
  return c;
}

/// A tracker and what it emitted. Frames are numbered from 1 in the order they are shown.
struct Timeline {
  explicit Timeline(const DnsLimits& limits = small_limits())
      : tracker(limits, classifier(), sink, counters) {}

  static DnsLimits small_limits() {
    DnsLimits limits;
    limits.pending_queries = 64;
    limits.tcp_streams = 8;
    return limits;
  }

  NotAnalysed datagram(TimeNs at, const Endpoint& src, const Endpoint& dst, const Message& message,
                       std::size_t captured = SIZE_MAX) {
    Packet p;
    p.time_ns = at;
    p.number = ++frame;
    p.src = src;
    p.dst = dst;
    p.ip_id = ip_id;
    p.transport = Transport::udp;
    p.payload = Bytes(message).first(std::min(captured, message.size()));
    p.payload_length = static_cast<std::uint32_t>(message.size());
    return tracker.on_datagram(p);
  }
  /// Client to resolver.
  NotAnalysed ask(TimeNs at, const Message& message) {
    return datagram(at, kClient, kResolver, message);
  }
  /// Resolver to client.
  NotAnalysed answer(TimeNs at, const Message& message) {
    return datagram(at, kResolver, kClient, message);
  }
  const std::vector<Seen>& finish() {
    tracker.finish();
    return sink.all;
  }
  [[nodiscard]] std::uint64_t count(Counter c) const { return counters.of(c); }

  Counters counters;
  Collector sink;
  DnsTracker tracker;
  FrameNumber frame = 0;
  std::uint16_t ip_id = 0;  ///< of the datagrams
};

inline std::vector<FrameNumber> frames(const ListView<FrameNumber>& list) {
  return {list.begin(), list.end()};
}

using Frames = std::vector<FrameNumber>;

}  // namespace wirelag::dns_test
