// When the answer to the first thing that a connection asked was there, where neither can be read. Private to
// advise; pure.
#pragma once

#include <wirelag/control/dataset.hpp>

namespace wirelag {

/// `tls`: the connection's handshake, null when it has none. The server's last byte where nothing contradicts that
/// it is the answer's; else the first one (docs/metrics.md). kUnknownNs without any answer.
[[nodiscard]] TimeNs first_answer_end_ns(const Connection& c, const TlsHandshake* tls);

}  // namespace wirelag
