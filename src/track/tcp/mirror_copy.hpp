// Segments that a mirror delivers twice: the copy has the original's TCP header, length and IPv4 identification,
// and comes a moment later. The rest of its headers may be others, where the mirror sees both sides of a router. What a
// sender sends again has an identification of its own (RFC 6864), but where it sends 0, as Linux does in SYN-ACKs.
#pragma once

#include <wirelag/base/cursor.hpp>
#include <wirelag/base/hash.hpp>

#include "flow_state.hpp"

namespace wirelag::tcp {

/// A copy of a segment that takes no sequence space follows within this time: a receiver without SACK may
/// well repeat an ACK, but seldom this soon.
inline constexpr DurationNs kBareCopyNs = 50 * kMicrosecondNs;

/// Whether the capture delivered this segment a moment ago already: the same header and length.
enum class MirrorCopy : std::uint8_t {
  no,
  yes,  ///< of a segment that takes sequence space, or of a keep-alive or window probe
  bare,  ///< of a pure ACK or RST, microseconds ago: no duplicate ACK, but the peer may have sent both
};
/// `print`: its fingerprint(). `previous_ns`: the latest time of the flow's segments before this one. `more`: of a
/// mirrored connection, or null. Of what is none, and takes sequence space, keep_print() lets copies be recognised.
[[nodiscard]] MirrorCopy mirror_copy(TcpFlow& flow, SideIndex sender, const Packet& packet,
                                     std::uint32_t print, TimeNs previous_ns, const Prints* more);

/// Of all that a copy made by the mirror has in common with its original. Not 0.
[[nodiscard]] inline std::uint32_t fingerprint(const Packet& packet) {
  constexpr std::uint64_t kOne = 0x9e3779b97f4a7c15ULL, kOther = 0xd6e8feb86659fd93ULL;
  const TcpHeader& tcp = packet.tcp;
  const std::uint64_t rest = std::uint64_t{packet.ip_id} << 48 ^
                             std::uint64_t{packet.payload_length} << 24 ^
                             std::uint64_t{tcp.window} << 8 ^ tcp.flags;
  std::uint64_t h = fold64((std::uint64_t{tcp.seq} << 32 | tcp.ack) ^ kOne, rest ^ kOther);
  ByteCursor options(tcp.options);
  while (options.remaining() >= 12) {
    h ^= options.u64();
    h = fold64(h, options.u32() ^ kOne);
  }
  while (options.remaining() >= 4) h = fold64(h ^ options.u32(), kOne);
  return static_cast<std::uint32_t>(h) | 1;
}

[[nodiscard]] inline bool takes_sequence_space(const Packet& packet) {
  return packet.payload_length > 0 || (packet.tcp.flags & (tcp_flag::syn | tcp_flag::fin)) != 0;
}

/// Keeps what recognises a copy of this segment, which takes sequence space.
inline void keep_print(TcpFlow& flow, SideIndex sender, std::uint32_t print, TimeNs time_ns) {
  SideRecent& recent = flow.recent[sender];
  const std::size_t oldest = flow.side[sender].recent_next++;
  recent.fingerprint[oldest] = print;
  recent.time_low_ns[oldest] = static_cast<std::uint32_t>(time_ns);
}

inline void keep_print(Prints& prints, std::uint32_t print, TimeNs time_ns) {
  const std::size_t oldest = prints.next++ % Prints::kSegments;
  prints.fingerprint[oldest] = print;
  prints.time_low_ns[oldest] = static_cast<std::uint32_t>(time_ns);
}

}  // namespace wirelag::tcp
