// Waits for an answer of which nobody can tell the way and the server's own time apart. Without a handshake
// the way is known from data and its ACK, and a server that acknowledges with its answer shows one for both.
// Shared by the rules about servers that work long. Private to advise; pure.
#pragma once

#include <map>
#include <string>

#include "estimate.hpp"

namespace wirelag {

class Undivided {
 public:
  /// A wait without a known way: too long if all of it were the server's own time, and not too long by
  /// what is known of that.
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
  std::map<Endpoint, DurationNs> waits_;  ///< the longest
};

}  // namespace wirelag
