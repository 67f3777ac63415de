// Messages out of one direction of a DNS over TCP connection (RFC 1035 section 4.2.2, RFC 7766):
// two bytes of length, then the message, again and again, cut into segments anywhere.
//
//      +-> length --(2nd byte in the next segment)--> length_low --+
//      |      |                                                    |
//      |      +----------------------------------------------------+--> body --+
//      +------------------------- message handed over <------------------------+
//   any --(not DNS, a hole beyond the message)--> lost
//   lost --(a segment begins like a message)--> length
//
// A hole inside a message does not lose the framing: what came before the hole is handed over when
// the message is past, marked as cut.
#pragma once

#include <array>
#include <memory>

#include <wirelag/base/counters.hpp>
#include <wirelag/track/dns/message.hpp>
#include <wirelag/track/stream_tracker.hpp>

#include "byte_chains.hpp"

namespace wirelag {

/// One direction's state; its bytes lie in the reader's pool.
struct DnsFraming {
  enum class Phase : std::uint8_t { length, length_low, body, lost };

  ByteChain kept;              ///< of the message being put together
  std::uint32_t missing = 0;   ///< bytes of it still to come
  FrameNumber last_frame = 0;  ///< of the segment that brought the latest bytes
  TimeNs last_time_ns = 0;
  Phase phase = Phase::length;
  std::uint8_t length_high = 0;
  bool cut = false;            ///< bytes of it are lost: nothing is kept any more
  std::uint8_t held_size = 0;  ///< lost: of a segment that was too short to tell
  std::array<std::uint8_t, 2 + DnsHeader::kSize - 1> held{};
};

/// Where whole messages go. `message` dies when the call returns.
class DnsMessageSink {
 public:
  virtual ~DnsMessageSink() = default;
  /// False when it is not DNS after all: the reader then looks for a new beginning.
  virtual bool on_message(Bytes message, bool cut, TimeNs time_ns, FrameNumber frame) = 0;
};

class DnsStreamReader {
 public:
  /// `blocks` of 60 bytes for all messages being put together.
  DnsStreamReader(std::size_t blocks, Counters& counters);

  void on_bytes(DnsFraming& framing, const StreamChunk& chunk, DnsMessageSink& sink);
  void on_gap(DnsFraming& framing, std::uint64_t missing, DnsMessageSink& sink);
  /// Frees what the framing holds; it must not be used any more.
  void close(DnsFraming& framing);

 private:
  void resynchronise(DnsFraming& framing, Bytes bytes, DnsMessageSink& sink);
  void consume(DnsFraming& framing, Bytes bytes, DnsMessageSink& sink);
  void lose(DnsFraming& framing);
  void begin_body(DnsFraming& framing, std::uint32_t length);
  Bytes take_body(DnsFraming& framing, Bytes bytes, DnsMessageSink& sink);
  void hand_over_kept(DnsFraming& framing, DnsMessageSink& sink);
  void drop_kept(DnsFraming& framing);

  ByteChains chains_;
  Counters& counters_;
  std::unique_ptr<std::uint8_t[]> scratch_;
};

}  // namespace wirelag
