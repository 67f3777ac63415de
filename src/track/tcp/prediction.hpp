// Header prediction (Van Jacobson, 4.3BSD-Reno): on an established connection where nothing is wrong, the
// next segment of a side is nearly always new data in order or an ACK that moves forward. Those take the
// short way here, which does what Sequences::account() and the rest would do for them and nothing else.
// Every other segment is left to the long way: it decides alone what is a loss, a probe or a copy.
//
// The short way needs no path for what it excludes:
//   resends, holes, mirror copies of data   begin below or above the next sequence number
//   duplicate ACKs, mirror copies of ACKs   acknowledge nothing new
//   closed windows, keep-alives, probes     are on record (Side), or have a byte at most
//   SYN, FIN, RST, URG, SACK                are not among the flags and options looked for
//
// tests/unit/track/tcp/prediction_test.cpp takes both ways for every segment of generated and damaged
// traffic and compares all that they leave behind.
#pragma once

#include "flow_state.hpp"
#include "round_trip.hpp"

namespace wirelag::tcp {

/// Accounts for `packet` if it is what was expected of `sender`; otherwise returns false and has touched
/// nothing. The payload of an expected segment is new (SegmentContent::payload).
[[nodiscard]] bool account_expected(TcpFlow& flow, SideIndex sender, const Packet& packet,
                                    RoundTrip& completed);

}  // namespace wirelag::tcp
