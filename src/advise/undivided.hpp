// Waits for an answer of which nobody can tell the way and the server's own time apart. Without a handshake
// the way is known from data and its ACK, and a server that acknowledges with its answer shows one for both.
// Shared by the rules about servers that work long, and about delayed ACKs. Private to advise; pure.
#pragma once

#include <map>
#include <string>

#include "estimate.hpp"

namespace wirelag {

class Undivided {
 public:
  /// A wait without a known way: too long if all of it were what the rule looks for, and not too long by
  /// what is known of that.
  void add(const IpAddress& client, const Endpoint& server, DurationNs wait_ns) {
    add({client, server}, wait_ns);
  }
  void add(const Undivided& other) {
    for (const auto& [way, wait_ns] : other.waits_) add(way, wait_ns);
  }

  [[nodiscard]] bool any() const { return !waits_.empty(); }
  /// Why a rule that found nothing does not say that all is fine.
  [[nodiscard]] RuleResult not_visible(
      std::string_view waits = "waits",
      std::string_view parts = "the way and the server's own time") const {
    DurationNs longest_ns = 0;
    for (const auto& [way, wait_ns] : waits_) longest_ns = std::max(longest_ns, wait_ns);
    std::string note = "not every handshake from " + names_of(waits_) + " was captured: of ";
    note.append(waits).append(" of up to ").append(in_ms(longest_ns));
    note.append(" ").append(parts).append(" cannot be told apart");
    return {Outcome::not_visible, {}, std::move(note)};
  }

 private:
  struct Way {
    IpAddress client;
    Endpoint server;
    auto operator<=>(const Way&) const = default;
    [[nodiscard]] std::string text() const { return client.text() + " to " + server.text(); }
  };
  void add(const Way& way, DurationNs wait_ns) {
    DurationNs& longest_ns = waits_.try_emplace(way, wait_ns).first->second;
    longest_ns = std::max(longest_ns, wait_ns);
  }

  std::map<Way, DurationNs> waits_;  ///< the longest
};

/// A wait less the round trip, as a sentence: whether a handshake showed the way, and else anything did.
[[nodiscard]] inline std::string_view about_own_time(bool way_known, bool round_trip_seen) {
  if (way_known) return "That is its own time: the round trip is taken off already.";
  if (round_trip_seen) {
    return "The shortest round trip that was seen is taken off; as not every handshake was "
           "captured, "
           "that may have some of the server's own time in it.";
  }
  return "No round trip to it was seen: the way there and back is in that time.";
}

}  // namespace wirelag
