// Whether a connection's opening was captured in an order in which it cannot have happened. Control thread; a pure
// function.
#pragma once

#include <wirelag/track/transaction.hpp>

namespace wirelag {

/// The capture has an answer of the handshake before its question, by frame or by time: how long it took is unknown.
[[nodiscard]] bool opening_contradicts(const Connection& connection);

}  // namespace wirelag
