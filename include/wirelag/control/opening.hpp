// What the opening of a connection shows that its state does not say. Control thread; pure functions.
#pragma once

#include <wirelag/control/dataset.hpp>

namespace wirelag {

/// The capture has an answer of the handshake before its question, by frame or by time: how long it took is unknown.
[[nodiscard]] bool opening_contradicts(const Connection& connection);

/// When the capture ended it had not come about yet, and nobody had reason to give up: what its client, or the server
/// after its SYN-ACK, sends next was not due.
[[nodiscard]] bool still_opening(const Dataset& data, const Connection& connection);

/// When the server's greeting came, where it speaks first (MySQL, SMTP, FTP, SSH ...): a client of these asks nothing
/// before it, and answers it at once. kUnknownNs of any other.
[[nodiscard]] TimeNs greeting_ns(const Connection& connection);

}  // namespace wirelag
