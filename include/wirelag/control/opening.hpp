// What the opening of a connection shows that its state does not say. Control thread; pure functions.
#pragma once

#include <wirelag/control/dataset.hpp>

namespace wirelag {

/// The capture has an answer of the handshake before its question, by frame or by time: how long it took is unknown.
[[nodiscard]] bool opening_contradicts(const Connection& connection);

/// When the capture ended, its client was still waiting for an answer to its SYN: the next one was not due yet.
[[nodiscard]] bool still_opening(const Dataset& data, const Connection& connection);
/// Until when the client of a connection that never came about was seen to wait for it: to the capture's end where it
/// was still waiting, else to the connection's last packet.
[[nodiscard]] TimeNs opening_until_ns(const Dataset& data, const Connection& connection);

}  // namespace wirelag
