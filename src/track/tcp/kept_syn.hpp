// A SYN kept whole, to be accounted for when it is clear which connection it belongs to, or whether it is the
// beginning of one at all.
#pragma once

#include <algorithm>
#include <array>

#include <wirelag/decode/packet.hpp>

namespace wirelag::tcp {

struct KeptSyn {
  static constexpr std::size_t kOptionBytes = 40;

  TimeNs time_ns = 0;
  FrameNumber frame = 0;
  std::uint32_t seq = 0;
  std::uint32_t payload_length = 0;
  std::uint16_t window = 0;
  std::uint8_t flags = 0;
  std::uint8_t option_bytes = 0;
  bool untimed = false;
  std::uint16_t ip_id = 0;                         ///< Packet::ip_id
  std::array<std::uint8_t, kOptionBytes> options;  ///< the first `option_bytes`

  explicit KeptSyn(const Packet& packet)
      : time_ns(packet.time_ns),
        frame(packet.number),
        seq(packet.tcp.seq),
        payload_length(packet.payload_length),
        window(packet.tcp.window),
        flags(packet.tcp.flags),
        option_bytes(static_cast<std::uint8_t>(std::min(packet.tcp.options.size(), kOptionBytes))),
        untimed(packet.untimed),
        ip_id(packet.ip_id) {
    std::copy_n(packet.tcp.options.begin(), option_bytes, options.begin());
  }
  KeptSyn() = default;

  [[nodiscard]] Bytes option_list() const { return Bytes(options).first(option_bytes); }

  /// The SYN again, without its payload's bytes; its options are those kept here.
  [[nodiscard]] Packet packet(const Endpoint& src, const Endpoint& dst,
                              std::uint32_t flow_hash) const {
    Packet out;
    out.time_ns = time_ns;
    out.untimed = untimed;
    out.number = frame;
    out.flow_hash = flow_hash;
    out.payload_length = payload_length;
    out.src = src;
    out.dst = dst;
    out.ip_id = ip_id;
    out.tcp = {seq, 0, window, flags, option_list()};
    out.transport = Transport::tcp;
    return out;
  }
};

}  // namespace wirelag::tcp
