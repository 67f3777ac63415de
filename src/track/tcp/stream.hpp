// A connection's bytes in order: segments that overtook are kept until the hole before them is
// filled, or until it is plain that it will not be (the peer has acknowledged the bytes, or cannot be seen,
// and time has passed; or too much waits behind it). The first bytes decide the protocol; its tracker then
// gets every byte once, with holes announced.
//
// Bounded: `reorder_segments` blocks of 2 KiB for all connections, `reorder_per_direction` for one
// direction. What a SYN carries (RFC 7413) waits there as well, until the server says whether it takes it: if
// not, it will come again. A connection whose protocol is unknown or not followed keeps nothing.
#pragma once

#include <wirelag/base/counters.hpp>
#include <wirelag/base/prefetch.hpp>
#include <wirelag/track/limits.hpp>
#include <wirelag/track/tcp/tracker.hpp>

#include "flow_state.hpp"
#include "sequence.hpp"

namespace wirelag::tcp {

class Streams {
 public:
  /// `worker`: its index, for the connections' keys.
  Streams(const TcpLimits& limits, std::uint16_t worker, Classifier& classifier,
          const TcpTracker::Trackers& trackers, Counters& counters);

  [[nodiscard]] ConnectionKey key_of(std::uint64_t serial) const {
    return static_cast<ConnectionKey>(worker_) << 48 | serial;
  }

  /// Payload, SYN or FIN of a segment.
  void on_segment(TcpFlow& flow, SideIndex sender, const Packet& packet, SegmentContent content);
  /// Has the memory fetched that on_segment() will touch. Call when the flow's own memory is near.
  void prefetch(const TcpFlow& flow, SideIndex sender) const {
    if (flow.transfer != kNone) {
      prefetch_lines<sizeof(TransferProgress)>(&transfers_[flow.transfer][sender]);
    }
    if (flow.recognising) prefetch_line(&flow.probe);
    if (flow.tracker != StreamTracker::kNone) {
      tracker(flow)->prefetch(flow.tracker, flow.direction(sender));
    }
  }
  /// An ACK of `sender`, alone, that came so much later than the shortest round trip (RoundTrip::late_ns).
  void note_late_ack(const TcpFlow& flow, SideIndex sender, DurationNs late_ns);
  /// By the names seen so far.
  [[nodiscard]] ServiceId service(const TcpFlow& flow) const;
  /// The connection ends: hands over what waits, closes the protocol tracker, frees all.
  void close(TcpFlow& flow);

 private:
  static constexpr std::size_t kBlockBytes = 2048;
  static constexpr std::size_t kProbeBytes = 64;
  static constexpr std::size_t kTellingBytes =
      32;  ///< nearly every protocol is recognised by fewer

  /// The segment that brought some bytes.
  struct Origin {
    TimeNs time_ns = 0;
    FrameNumber frame = 0;
    std::uint32_t ack = 0;
    bool acks = false;
  };
  /// A captured piece of a segment that overtook, without its bytes: many are looked through in a row.
  struct Block {
    Origin origin;
    std::uint32_t seq = 0;
    std::uint32_t length = 0;    ///< sequence space
    std::uint32_t captured = 0;  ///< bytes held; less than length when snaplen cut
    std::uint32_t next = kNone;
    std::uint32_t burst = 0;
  };
  /// The beginning of both directions while the protocol is unknown.
  struct Probe {
    struct Piece {
      Origin origin;
      std::uint8_t length = 0;
    };
    struct Half {
      std::array<Piece, 8> pieces{};
      std::uint8_t bytes[kProbeBytes]{};
      std::uint8_t piece_count = 0;
      std::uint8_t length = 0;
      std::uint16_t seen = 0;   ///< bytes that came, kept or not, 65535 at most
      bool overflowed = false;  ///< no longer the beginning of the stream
    };
    std::array<Half, 2> half{};
  };

  /// Both directions' progress, by side.
  using Transfer = std::array<TransferProgress, 2>;

  void measure(TcpFlow& flow, SideIndex sender, const Packet& packet, SegmentContent content);
  [[nodiscard]] static Origin origin(const Packet& packet) {
    return {packet.measured_ns(), packet.number, packet.tcp.ack, packet.tcp.has(tcp_flag::ack)};
  }
  [[nodiscard]] StreamChunk chunk(const TcpFlow& flow, SideIndex sender, Bytes bytes,
                                  const Origin& origin);
  void deliver(TcpFlow& flow, SideIndex sender, StreamChunk chunk);
  void follow_interest(TcpFlow& flow);
  void close_tracker(TcpFlow& flow);
  void announce_gap(TcpFlow& flow, SideIndex sender, std::uint64_t missing);
  void announce_cut(TcpFlow& flow, SideIndex sender, StreamChunk chunk, std::uint64_t missing);
  void recognise(TcpFlow& flow, SideIndex sender, StreamChunk chunk);
  [[nodiscard]] Recognised recognise_joined(const TcpFlow& flow, SideIndex sender,
                                            const StreamChunk& chunk);
  [[nodiscard]] bool may_be_recognised(const TcpFlow& flow, SideIndex sender) const;
  void adopt(TcpFlow& flow, Protocol protocol, bool first_bytes, std::uint16_t client_unread);
  [[nodiscard]] std::uint16_t client_unread(const TcpFlow& flow, SideIndex sender,
                                            bool continues) const;
  void deliver_beginning(TcpFlow& flow, SideIndex sender, std::uint32_t end_seq);
  void keep_beginning(TcpFlow& flow, SideIndex sender, const StreamChunk& chunk);
  void advance(TcpFlow& flow, SideIndex sender, std::uint32_t seq, std::uint32_t length,
               StreamChunk chunk);
  void wait(TcpFlow& flow, SideIndex sender, const Packet& packet, std::uint32_t seq);
  /// Half of the room for what waits is taken.
  [[nodiscard]] bool is_scarce() const { return 2 * blocks_.in_use() >= blocks_.capacity(); }
  [[nodiscard]] std::uint32_t most_waiting() const;
  void line_up(SideDetail& detail, std::uint32_t index);
  void drain(TcpFlow& flow, SideIndex sender);
  [[nodiscard]] bool holds_syn_data(const TcpFlow& flow, SideIndex sender) const;
  [[nodiscard]] bool hold_syn_data(TcpFlow& flow, SideIndex sender, const Packet& packet,
                                   std::uint32_t seq);
  void settle_syn_data(TcpFlow& flow, SideIndex sender, std::uint32_t taken_up_to);
  void skip_hole(TcpFlow& flow, SideIndex sender);
  [[nodiscard]] std::uint32_t burst(const TcpFlow& flow, SideIndex sender) const;
  bool set_current(const TcpFlow& flow, SideIndex sender, bool current);
  void stop_following(TcpFlow& flow, SideIndex sender);
  void let_go(TcpFlow& flow);
  void deliver_fin(TcpFlow& flow, SideIndex sender, TimeNs time_ns, FrameNumber frame);
  void drop_waiting(TcpFlow& flow, SideIndex sender);
  [[nodiscard]] bool wants_bytes(const TcpFlow& flow, SideIndex sender) const;
  [[nodiscard]] bool hole_is_final(const TcpFlow& flow, SideIndex sender, TimeNs now) const;
  [[nodiscard]] StreamTracker* tracker(const TcpFlow& flow) const {
    return trackers_[static_cast<std::size_t>(flow.protocol)];
  }

  [[nodiscard]] std::uint8_t* bytes_of(std::uint32_t block) const {
    return static_cast<std::uint8_t*>(block_bytes_.get()) + block * kBlockBytes;
  }

  TcpLimits limits_;
  std::uint16_t worker_;
  Classifier& classifier_;
  TcpTracker::Trackers trackers_;
  Counters& counters_;
  Pool<Block> blocks_;
  TableMemory block_bytes_;  ///< kBlockBytes of each
  Pool<Probe> probes_;
  Pool<Transfer> transfers_;
};

}  // namespace wirelag::tcp
