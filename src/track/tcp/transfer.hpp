// What a payload segment adds to the progress of its direction (track/transfer.hpp).
#pragma once

#include <wirelag/track/transfer.hpp>

#include "flow_state.hpp"

namespace wirelag::tcp {

/// The smallest round trip between the two ends that was seen; unknown unless both halves are.
[[nodiscard]] DurationNs smallest_rtt_ns(const FlowDetail& detail);

/// What `receiver` announced last, in bytes; TransferShape::kUnknownWindow when its scale was not
/// seen (RFC 7323 section 2.2) or it has announced nothing since its SYN.
[[nodiscard]] std::uint32_t window_bytes(const TcpFlow& flow, const FlowDetail& detail,
                                         SideIndex receiver);

/// Payload of a full segment of `sender`: what the other side's SYN allows, less the timestamps
/// option when both use it (RFC 9293 section 3.7.1, RFC 7323 section 3.2); 0 = not seen.
[[nodiscard]] std::uint32_t segment_bytes(const TcpFlow& flow, const FlowDetail& detail,
                                          SideIndex sender);

/// Whether what `sender` has on the way leaves less than a full segment's room in the receiver's open
/// window; false when the window is not known.
[[nodiscard]] bool fills_window(const TcpFlow& flow, const FlowDetail& detail, SideIndex sender);

/// A payload segment of `sender` that is no probe and no keep-alive. Call after account_segment().
void note_payload(TransferProgress& progress, TcpFlow& flow, const FlowDetail& detail,
                  SideIndex sender, TimeNs time_ns, bool resent);

}  // namespace wirelag::tcp
