// When a response was whole for its client. Private to advise; pure.
#pragma once

#include <algorithm>

#include <wirelag/control/dataset.hpp>

namespace wirelag {

/// `c` is its connection. With the last byte, or with the server's FIN where that is what ends the body (RFC 9112
/// section 6.3): no client knows sooner that there is no more to come. Of an event stream nobody waits for the end.
/// kUnknownNs without a response.
[[nodiscard]] inline TimeNs response_end_ns(const HttpTransaction& h, const Connection& c) {
  const bool closed = h.ends_with_close && h.response_complete && c.close_by == Direction::s2c;
  const bool events = h.content_type.text().starts_with("text/event-stream");
  return closed && !events ? std::max(h.response_last_ns, c.close_time_ns) : h.response_last_ns;
}

}  // namespace wirelag
