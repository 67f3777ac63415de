// What both halves of the pairing ask about a request and a response.
#pragma once

#include <wirelag/track/http/tracker.hpp>

namespace wirelag {

[[nodiscard]] inline bool answered(const HttpTransaction& t) { return t.status != 0; }

/// Whether the request was sent after the response had come, so cannot be its.
[[nodiscard]] inline bool sent_after(const HttpTransaction& request, TimeNs response_first_ns,
                                     FrameNumber frame) {
  if (request.request_first_ns != response_first_ns) {
    return request.request_first_ns > response_first_ns;
  }
  return request.request_frames.first > frame;
}

}  // namespace wirelag
