// When the server of a connection that cannot be read had greeted, and when the answer to the first thing that was
// asked was there. Private to advise; pure.
#pragma once

#include <wirelag/control/dataset.hpp>

namespace wirelag {

/// `tls`: the connection's handshake, null when it has none. The server's last byte where nothing contradicts that
/// it is the answer's; else the first one (docs/metrics.md). kUnknownNs without any answer.
[[nodiscard]] TimeNs first_answer_end_ns(const Connection& c, const TlsHandshake* tls);

/// When the server's greeting came, where it speaks first (MySQL, SMTP, FTP, SSH ...): a client of these asks nothing
/// before it, and answers it at once. kUnknownNs of any other.
[[nodiscard]] TimeNs greeting_ns(const Connection& c);

}  // namespace wirelag
