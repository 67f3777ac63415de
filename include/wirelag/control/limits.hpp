// Which DNS transactions belong together, and to which connection: the configuration's table [lookups].
#pragma once

#include <cstdint>

#include <wirelag/base/types.hpp>

namespace wirelag {

/// Control thread. Sources: resolv.conf(5) and the resolver of glibc (timeout 5 s, doubled once, two
/// attempts at up to three servers); Kubernetes' search lists.
struct LookupLimits {
  /// A, AAAA and HTTPS questions of one lookup are sent together, or one right after the other's answer.
  DurationNs other_type_ns = 100 * kMillisecondNs;
  /// An unanswered question is asked again within this time: 5 s and 10 s, one second more for the way.
  /// No other attempt is part of the same lookup.
  DurationNs retry_ns = 11 * kSecondNs;
  /// After SERVFAIL, REFUSED or TC the next server, or TCP, is tried at once; a TCP handshake fits in.
  DurationNs failover_ns = 2 * kSecondNs;
  /// No resolver library waits longer in all: three servers, two attempts, five seconds each.
  DurationNs longest_ns = 30 * kSecondNs;
  /// The next name of a search list follows the NXDOMAIN within this time.
  DurationNs search_next_ns = 2 * kSecondNs;
  /// Labels of the longest search suffix: Kubernetes uses four (namespace.svc.cluster.local).
  std::uint32_t suffix_labels = 8;
  /// So long an unanswered question to a stub may still cause upstream questions: then its client has
  /// asked again.
  DurationNs stub_patience_ns = 5 * kSecondNs;
  /// An address is taken from the latest answer, unless that is older when the connection is opened.
  DurationNs answer_used_within_ns = 10 * kSecondNs;
  /// Who gets no answer asks again within this time,
  DurationNs asks_again_ns = 6 * kSecondNs;
  /// and who has not in so long has its answers, though the capture does not show them.
  DurationNs watched_ns = 15 * kSecondNs;
};

}  // namespace wirelag
