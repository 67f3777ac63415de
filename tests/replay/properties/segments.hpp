// Captures in memory, to be rewritten: a Recording owns its frames; Segments are what is left of them
// when links, tags, tunnels and fragments are taken off: one plain TCP or UDP packet each, which can
// be changed field by field and put into frames again.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <wirelag/base/result.hpp>
#include <wirelag/decode/packet.hpp>
#include <wirelag/report/report.hpp>

namespace wirelag::properties {

using Octets = std::vector<std::uint8_t>;

class Recording {
 public:
  Recording() = default;
  Recording(Recording&&) = default;
  Recording& operator=(Recording&&) = default;

  /// `frame` with its bytes copied.
  void add(Frame frame) { add(frame, Octets(frame.bytes.begin(), frame.bytes.end())); }
  void add(Frame frame, Octets bytes) {
    bytes_.push_back(std::move(bytes));
    frame.bytes = bytes_.back();
    frames_.push_back(frame);
  }
  [[nodiscard]] std::span<const Frame> frames() const { return frames_; }

 private:
  std::deque<Octets> bytes_;
  std::vector<Frame> frames_;
};

/// All frames of a capture file; `block` is filled in as in a replay.
[[nodiscard]] Result<Recording> load(const std::string& path, CaptureBlock& block);

struct Segment {
  TimeNs time_ns = 0;
  FrameNumber number = 0;
  bool untimed = false;     ///< Frame::untimed
  std::uint16_t ip_id = 0;  ///< Packet::ip_id
  Endpoint src;
  Endpoint dst;
  Transport transport = Transport::none;
  TcpHeader tcp;  ///< its options view is not used
  Octets options;
  Octets payload;                    ///< as far as captured
  std::uint32_t payload_length = 0;  ///< on the wire
};
using Segments = std::vector<Segment>;

/// The packets that the decoder understands; nothing when one of them is too long for an IP header
/// (an offloaded giant).
[[nodiscard]] std::optional<Segments> flatten(const Recording& recording);

enum class Wrap : std::uint8_t { plain, vlan, vxlan };
/// One Ethernet frame per segment, with its number and time.
[[nodiscard]] Recording frames_of(const Segments& segments, Wrap wrap = Wrap::plain);

/// A pcapng file of two Ethernet interfaces whose times count from different beginnings; frames
/// alternate between them by their direction.
[[nodiscard]] std::string pcapng_of_two_interfaces(const Segments& segments);

}  // namespace wirelag::properties
