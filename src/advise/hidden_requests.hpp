// Requests that cannot be read: which connections may carry some, and until when. What ends after all of them
// surely ended late; before that nobody knows whether the client was waiting for something else.
// Private to advise; pure.
#pragma once

#include <map>
#include <vector>

#include <wirelag/advise/rule.hpp>

namespace wirelag {

[[nodiscard]] inline bool speaks_web(const Connection& c) {
  return c.protocol == Protocol::http1 || c.protocol == Protocol::http2 ||
         c.protocol == Protocol::tls;
}

class HiddenRequests {
 public:
  HiddenRequests(const Dataset& data, const Correlation& correlation);

  /// How much sooner a connection would have been done, by its index.
  using Sooner = std::map<std::size_t, DurationNs>;
  /// A connection that may hide requests.
  struct Span {
    std::size_t connection;
    TimeNs from_ns = 0;
    TimeNs to_ns = 0;  ///< the last byte from the server; kUnknownNs: it is not known
  };

  /// Encrypted, or a tunnel from some request on.
  [[nodiscard]] bool may_hide(const Channel& channel) const;
  /// Those of the visit's client while it went on.
  [[nodiscard]] std::vector<Span> during(const Visit& visit, const Sooner& sooner_ns) const;
  /// By so much an answer of `connection` came after the last byte of all others; 0 when it did not, or
  /// when that is not known.
  [[nodiscard]] static DurationNs ends_last_by_ns(std::size_t connection, TimeNs answer_ns,
                                                  const std::vector<Span>& spans);

 private:
  struct Member {
    IpAddress client;
    SmallIndex connection;
    auto operator<=>(const Member&) const = default;
  };

  const Dataset& data_;
  std::vector<Member> by_client_;  ///< connections that may hide requests, sorted
};

}  // namespace wirelag
