// A TCP conversation written down as a timeline, for tests: who sends what at which millisecond.
#pragma once

#include <string>
#include <vector>

#include <wirelag/track/tcp/tracker.hpp>

#include "../../../support/kept.hpp"

namespace wirelag::testing {

inline constexpr std::uint8_t kSyn = tcp_flag::syn;
inline constexpr std::uint8_t kSynAck = tcp_flag::syn | tcp_flag::ack;
inline constexpr std::uint8_t kAck = tcp_flag::ack;
inline constexpr std::uint8_t kFin = tcp_flag::fin | tcp_flag::ack;

constexpr DurationNs ms(double n) { return static_cast<DurationNs>(n * 1e6); }

inline Endpoint endpoint(const char* ip, std::uint16_t port) {
  Endpoint e;
  EXPECT_TRUE(parse_ip(ip, e.ip));
  e.port = port;
  return e;
}

/// One segment before it is sent. Sequence numbers are relative to the sides' initial ones.
struct Segment {
  bool from_client = true;
  double at_ms = 0;
  std::uint8_t flags = tcp_flag::ack;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::string payload{};
  std::uint16_t window = 1000;
  std::uint32_t tsval = 0;  ///< 0 = no timestamps option
  std::uint32_t tsecr = 0;
  std::uint32_t uncaptured = 0;         ///< payload bytes cut off by the snaplen
  std::vector<std::uint8_t> options{};  ///< raw, before the timestamps
};

/// Keeps copies of what is emitted.
class Collector : public TransactionSink {
 public:
  void emit(TransactionRef t) override {
    if (const auto* c = std::get_if<const Connection*>(&t)) connections.push_back(test::kept(**c));
  }
  std::vector<Connection> connections;
};

/// Records what a protocol tracker is given.
class StreamRecorder : public StreamTracker {
 public:
  Handle open(const StreamContext& c) override {
    context = c;
    ++opened;
    return 7;
  }
  void on_bytes(Handle, const StreamChunk& chunk) override {
    text[index(chunk.direction)] += as_text(chunk.bytes);
    frames.push_back(chunk.frame);
  }
  void on_gap(Handle, Direction d, std::uint64_t missing) override {
    text[index(d)] += "<" + std::to_string(missing) + ">";
  }
  void on_fin(Handle, Direction d, TimeNs, FrameNumber) override { text[index(d)] += "|"; }
  ServiceId service(Handle) const override { return 3; }
  void close(Handle) override { ++closed; }

  StreamContext context;
  std::string text[2];
  std::vector<FrameNumber> frames;
  int opened = 0;
  int closed = 0;
};

class Conversation {
 public:
  static constexpr std::uint32_t kClientIsn = 1000;
  static constexpr std::uint32_t kServerIsn = 5000;

  /// Small tables: a test makes many conversations.
  static TcpLimits small() {
    TcpLimits limits;
    limits.connections = 64;
    limits.reorder_segments = 128;
    return limits;
  }
  /// `http` gets the bytes of HTTP instead of `recorder`.
  explicit Conversation(TcpLimits limits = small(), StreamTracker* http = nullptr)
      : limits_(limits) {
    static const auto kSignatures = Signatures::compile({}).value();
    classifier_ = std::make_unique<Classifier>(kSignatures);
    TcpTracker::Trackers trackers{};
    trackers[static_cast<std::size_t>(Protocol::http1)] = http != nullptr ? http : &recorder;
    tracker_ = std::make_unique<TcpTracker>(limits_, std::uint16_t{0}, *classifier_, trackers, sink,
                                            nullptr, counters);
  }

  NotAnalysed send(const Segment& s) {
    options_ = s.options;
    if (s.tsval != 0) {
      options_.insert(options_.end(), {1, 1, 8, 10});
      for (const std::uint32_t word : {s.tsval, s.tsecr}) {
        for (int shift = 24; shift >= 0; shift -= 8) {
          options_.push_back(static_cast<std::uint8_t>(word >> shift));
        }
      }
    }
    Packet p;
    p.time_ns = kStart + static_cast<TimeNs>(s.at_ms * 1e6);
    p.untimed = untimed;
    p.ip_id = ip_id;
    p.number = live ? 0 : ++frame_;
    p.src = s.from_client ? client : server;
    p.dst = s.from_client ? server : client;
    p.transport = Transport::tcp;
    p.flow_hash = flow_hash;
    p.tcp.seq = s.seq + (s.from_client ? kClientIsn : kServerIsn) + isn_shift;
    p.tcp.ack = s.ack + (s.from_client ? kServerIsn : kClientIsn) + isn_shift;
    if ((s.flags & tcp_flag::ack) == 0) p.tcp.ack = ack_without_flag;
    p.tcp.flags = s.flags;
    p.tcp.window = s.window;
    p.tcp.options = options_;
    p.payload = as_bytes(s.payload);
    p.payload_length = static_cast<std::uint32_t>(s.payload.size()) + s.uncaptured;
    return tracker_->on_segment(p, tracker_->prefetch_flow(p));
  }
  NotAnalysed client_sends(double at_ms, std::uint8_t flags, std::uint32_t seq, std::uint32_t ack,
                           std::string payload = "") {
    return send({true, at_ms, flags, seq, ack, std::move(payload)});
  }
  NotAnalysed server_sends(double at_ms, std::uint8_t flags, std::uint32_t seq, std::uint32_t ack,
                           std::string payload = "") {
    return send({false, at_ms, flags, seq, ack, std::move(payload)});
  }
  /// SYN at 0 ms, SYN-ACK at 10 ms, ACK at 12 ms.
  void shake_hands() {
    client_sends(0, tcp_flag::syn, 0, 0);
    server_sends(10, tcp_flag::syn | tcp_flag::ack, 0, 1);
    client_sends(12, tcp_flag::ack, 1, 1);
  }
  const Connection& finish() {
    tracker_->finish();
    EXPECT_FALSE(sink.connections.empty());
    return sink.connections.back();
  }
  TcpTracker& tracker() { return *tracker_; }

  static constexpr TimeNs kStart = 1'700'000'000 * kSecondNs;
  Endpoint client = endpoint("10.0.0.1", 40000);
  Endpoint server = endpoint("10.0.0.2", 80);
  std::uint32_t isn_shift = 0;         ///< added to all sequence numbers
  bool untimed = false;                ///< what is sent now has no time of its own
  bool live = false;                   ///< frames have no numbers
  std::uint16_t ip_id = 0;             ///< of the segments sent from now on (IPv4 identification)
  std::uint32_t ack_without_flag = 0;  ///< the number in segments without ACK
  std::uint32_t flow_hash = 42;        ///< every flow collides: the key must tell them apart
  Collector sink;
  StreamRecorder recorder;
  Counters counters;

 private:
  TcpLimits limits_;
  std::unique_ptr<Classifier> classifier_;
  std::unique_ptr<TcpTracker> tracker_;
  FrameNumber frame_ = 0;
  std::vector<std::uint8_t> options_;
};

inline std::uint32_t resent(const HalfConnection& half, RetransmissionClass c) {
  return half.impairment().retransmissions[static_cast<std::size_t>(c)];
}

}  // namespace wirelag::testing
