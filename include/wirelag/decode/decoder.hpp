// Frames in, packets out: link layer, tags, tunnels, IP, fragments, transport.
//
// One thread; all memory is taken at construction. The decoder keeps only the fragments of
// datagrams that are not whole yet.
#pragma once

#include <memory>

#include <wirelag/base/counters.hpp>
#include <wirelag/decode/packet.hpp>

namespace wirelag {

struct DecodeLimits {
  std::uint32_t max_tunnels = 4;           ///< tunnels taken off one inside another; at most 32
  std::uint32_t fragment_datagrams = 256;  ///< datagrams being rebuilt at once
  DurationNs fragment_timeout_ns = 30 * kSecondNs;  ///< RFC 791, RFC 8200: 60 s; Linux: 30 s
  std::uint64_t hash_seed = 0;                      ///< of Packet::flow_hash (base/hash.hpp)
};

class Decoder {
 public:
  /// `counters` (snaplen_cut, tunnelled, fragments ...) must outlive the decoder; frames with
  /// Frame::dispatched are not counted again.
  Decoder(const DecodeLimits& limits, Counters& counters);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// NotAnalysed::none: `out` is complete and has a transport. Otherwise the reason; `out` is then
  /// undefined. The views in `out` are valid until the frame dies or decode() is called again.
  ///
  /// A fragment that does not complete its datagram gives fragment_incomplete. The last one gives
  /// what the datagram is, and fragments_completed() the number of earlier frames that brought the
  /// rest, for Accounting::datagram_completed().
  [[nodiscard]] NotAnalysed decode(const Frame& frame, Packet& out);
  [[nodiscard]] std::uint32_t fragments_completed() const { return fragments_completed_; }

  /// When the last decode() rebuilt a datagram (the innermost one if several): its bytes from the
  /// IP header on, without options or extension headers, as a raw_ip frame with the number, time
  /// and port of the frame that completed it. Empty bytes otherwise. Valid until the next decode().
  [[nodiscard]] const Frame& rebuilt() const { return rebuilt_; }

 private:
  struct State;
  [[nodiscard]] NotAnalysed walk(const Frame& frame, Packet& out);

  std::unique_ptr<State> state_;
  std::uint32_t fragments_completed_ = 0;
  Frame rebuilt_;
};

}  // namespace wirelag
