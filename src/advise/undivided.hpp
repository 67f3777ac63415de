// Waits for an answer of which nobody can tell the way and the server's own time apart. Without a handshake
// the way is known from data and its ACK, and a server that acknowledges with its answer shows one for both.
// Shared by the rules about servers that work long. Private to advise; pure.
#pragma once

#include <map>
#include <set>
#include <string>

#include "estimate.hpp"

namespace wirelag {

class Undivided {
 public:
  explicit Undivided(const Transactions<Connection>& connections) {
    for (const Connection& c : connections) {
      if (known(c.rtt_probe_server_ns)) ways_.insert({c.client.ip, c.server.ip});
    }
  }

  /// Whether a handshake between the two was captured.
  [[nodiscard]] bool way_known(const Endpoint& client, const Endpoint& server) const {
    return ways_.contains({client.ip, server.ip});
  }

  /// A wait without a known way, too long if it were the server's own time.
  void add(const Endpoint& server, DurationNs wait_ns) {
    DurationNs& longest_ns = waits_.try_emplace(server, wait_ns).first->second;
    longest_ns = std::max(longest_ns, wait_ns);
  }

  [[nodiscard]] bool any() const { return !waits_.empty(); }
  /// Why a rule that found nothing slow does not say that all is fine.
  [[nodiscard]] RuleResult not_visible() const {
    DurationNs longest_ns = 0;
    for (const auto& [server, wait_ns] : waits_) longest_ns = std::max(longest_ns, wait_ns);
    return {Outcome::not_visible,
            {},
            "no handshake to " + names_of(waits_) + " was captured: of waits of up to " +
                in_ms(longest_ns) + " the way and the server's own time cannot be told apart"};
  }

 private:
  std::set<std::pair<IpAddress, IpAddress>> ways_;
  std::map<Endpoint, DurationNs> waits_;  ///< the longest
};

}  // namespace wirelag
