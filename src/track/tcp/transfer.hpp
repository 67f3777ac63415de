// What a payload segment adds to the progress of its direction (track/transfer.hpp).
#pragma once

#include <wirelag/track/transfer.hpp>

#include "flow_state.hpp"

namespace wirelag::tcp {

/// What `receiver` announced last, in bytes; TransferShape::kUnknownWindow when its scale was not
/// seen (RFC 7323 section 2.2) or it has announced nothing since its SYN.
[[nodiscard]] inline std::uint32_t window_bytes(const Side& receiver) {
  if (receiver.window_shift == Side::kShiftUnknown || !receiver.acked) {
    return TransferShape::kUnknownWindow;
  }
  return std::uint32_t{receiver.window} << receiver.window_shift;
}

/// Whether what `sender` has on the way once it has sent all before `sent` leaves less than a full
/// segment's room in the receiver's open window; false when the window is not known.
[[nodiscard]] inline bool fills_window(const Side& sender, std::uint32_t sent,
                                       const Side& receiver) {
  const std::uint32_t window = window_bytes(receiver);
  if (window == TransferShape::kUnknownWindow || window == 0) return false;
  const std::int32_t in_flight = seq_distance(receiver.max_ack, sent);
  const std::uint32_t room = std::max<std::uint32_t>(1, sender.segment_bytes);
  return in_flight > 0 && static_cast<std::uint32_t>(in_flight) + room > window;
}
[[nodiscard]] inline bool fills_window(const Side& sender, const Side& receiver) {
  return fills_window(sender, sender.next_seq, receiver);
}

/// A payload segment of `sender` that is no probe and no keep-alive. Call after account_segment(), with
/// the progress's round trip up to date.
void note_payload(TransferProgress& progress, TcpFlow& flow, SideIndex sender, const Packet& packet,
                  bool resent);

}  // namespace wirelag::tcp
