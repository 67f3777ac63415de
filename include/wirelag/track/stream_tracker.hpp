// The contract of a protocol that runs over TCP: it gets each direction's bytes in order, once,
// with holes announced, and emits transactions. One tracker object per protocol and worker; the
// state of a connection lives in the tracker's own fixed pool and is named by a handle.
//
// No EAL, no clock, no allocation after construction, no exception. One thread.
#pragma once

#include <wirelag/track/transaction.hpp>
#include <wirelag/track/transfer.hpp>

namespace wirelag {

/// Who talks to whom on the connection a stream belongs to.
struct StreamContext {
  ConnectionKey connection = 0;
  Endpoint client;
  Endpoint server;
  bool from_start : 1 = true;    ///< nothing of the protocol came before the first chunk
  bool syn_seen : 1 = true;      ///< the client's bytes are known from their first on
  bool syn_ack_seen : 1 = true;  ///< likewise the server's
  /// Bytes of the client before the first chunk that were not recognised, 65535 at most; 0 midstream.
  std::uint16_t client_unread = 0;
};

/// Sequence numbers compare modulo 2^32, RFC 9293 section 3.4.
[[nodiscard]] constexpr std::int32_t seq_distance(std::uint32_t from, std::uint32_t to) {
  return static_cast<std::int32_t>(to - from);
}

/// A run of payload bytes of one direction, as captured in one segment.
struct StreamChunk {
  Bytes bytes;            ///< not empty but in on_cut(); dies when on_bytes() returns
  TimeNs time_ns = 0;     ///< of the segment that brought them (its first copy); may be unknown
  FrameNumber frame = 0;  ///< likewise; may be lower than the chunk's before when segments overtook
  Direction direction = Direction::c2s;
  /// How this direction's payload has travelled up to now, for TransferMeter; null when that is not
  /// measured. Dies when on_bytes() returns.
  const TransferProgress* progress = nullptr;
  const TransferProgress* other_progress = nullptr;  ///< likewise of the other direction
  std::uint32_t burst = 0;  ///< the number of the burst that brought the bytes
  /// Not before the connection's chunks before it; for order and timeouts where `time_ns` is unknown.
  TimeNs order_ns = 0;
  /// The other direction has sent more than was handed over: it was not captured, or waits behind a hole.
  bool other_behind = false;
  bool acks = false;      ///< `seq` and `ack` are known
  std::uint32_t seq = 0;  ///< sequence number of the first byte
  std::uint32_t ack =
      0;  ///< what the segment acknowledges: its sender had the other's bytes before it
};

/// What a tracker makes of the bytes that come next on a connection.
enum class StreamInterest : std::uint8_t {
  bytes,           ///< follows them
  nothing,         ///< has seen all it needs: will be closed and not opened again
  other_protocol,  ///< they belong to another protocol (CONNECT, Upgrade): close, recognise anew
};

class StreamTracker {
 public:
  using Handle = std::uint32_t;
  static constexpr Handle kNone = UINT32_MAX;

  virtual ~StreamTracker() = default;

  /// kNone when the tracker's pool is full (the tracker counts it): the connection then goes on
  /// without a protocol.
  [[nodiscard]] virtual Handle open(const StreamContext& context) = 0;
  virtual void on_bytes(Handle handle, const StreamChunk& chunk) = 0;
  /// `missing` bytes of this direction will never come (lost before the capture, or given up to stay
  /// within bounds). The tracker resynchronises at the next message it can recognise. Right after open():
  /// some are missing before the first chunk, of which nobody knows how many belong to the protocol.
  virtual void on_gap(Handle handle, Direction direction, std::uint64_t missing) = 0;
  /// The last `missing` bytes of a segment were cut off by the snaplen: when they came is known
  /// (`chunk`, without bytes), what they are is not.
  virtual void on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) {
    on_gap(handle, chunk.direction, missing);
  }
  /// FIN: no more bytes of this direction. `time_ns` and `frame` are the FIN segment's.
  virtual void on_fin(Handle handle, Direction direction, TimeNs time_ns, FrameNumber frame) = 0;
  /// Bytes of this direction come soon: asks for the memory that they will touch.
  virtual void prefetch(Handle, Direction) const {}
  /// Asked after on_bytes() and on_cut().
  [[nodiscard]] virtual StreamInterest interest(Handle) const { return StreamInterest::bytes; }
  /// The service this connection belongs to by the names seen on it so far.
  [[nodiscard]] virtual ServiceId service(Handle handle) const = 0;
  /// No more bytes will come: the connection is over, or both sides have closed. Emits what is unfinished, frees
  /// the handle.
  virtual void close(Handle handle) = 0;
};

/// The contract of a protocol that runs over UDP.
class DatagramTracker {
 public:
  virtual ~DatagramTracker() = default;
  /// Whether the datagram was of this protocol and is accounted for.
  [[nodiscard]] virtual NotAnalysed on_datagram(const Packet& packet) = 0;
};

}  // namespace wirelag
