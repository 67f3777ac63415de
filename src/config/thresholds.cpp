#include "thresholds.hpp"

// A member of the owner's thresholds, as the functions in setting.hpp want it.
#define THRESHOLD(path) MEMBER(thresholds.path)

namespace wirelag::config {
namespace {

using C = Config;

Section<C> dns_redundant_fanout() {
  return {"rule.dns-redundant-fanout",
          "One question sent to several resolvers at once.",
          {
              integer<C>("min_servers", "resolvers", 2, 16, "asked the same question",
                         THRESHOLD(dns_redundant_fanout.min_servers)),
              duration<C>("within_ms", kMillisecondNs, 0, 10000, "between the copies",
                          THRESHOLD(dns_redundant_fanout.within_ns)),
              number<C>("min_share", "fraction", 0, 1, "of the forwarded questions",
                        THRESHOLD(dns_redundant_fanout.min_share)),
              number<C>("slack_at_p99", "fraction", 0, 10,
                        "so much slower at p99 the others may be before one is called dispensable",
                        THRESHOLD(dns_redundant_fanout.slack_at_p99)),
              integer<C>("min_for_p99", "questions", 1, kMega, "of fewer the p99 says nothing",
                         THRESHOLD(dns_redundant_fanout.min_for_p99)),
          },
          "races of three resolvers, run with four settings of a forwarder"};
}

Section<C> http_late_connection() {
  return {"rule.http-late-connection",
          "A connection opened at the moment of need.",
          {
              duration<C>("request_after_handshake_ms", kMillisecondNs, 0, 10000,
                          "the request comes this soon: the connection was opened for it",
                          THRESHOLD(http_late_connection.request_after_handshake_ns)),
              duration<C>("speculative_after_ms", kMillisecondNs, 0, 600000,
                          "no request by then: a spare connection",
                          THRESHOLD(http_late_connection.speculative_after_ns)),
          },
          "a page's timeline replayed on demand and preconnected"};
}

Section<C> http_slow_ttfb() {
  return {"rule.http-slow-ttfb",
          "A server thinks long before it answers.",
          {
              duration<C>("p50_ms", kMillisecondNs, 0, 600000, "its own time at the median",
                          THRESHOLD(http_slow_ttfb.p50_ns)),
              duration<C>("p95_ms", kMillisecondNs, 0, 600000, "its own time at the slow end",
                          THRESHOLD(http_slow_ttfb.p95_ns)),
              duration<C>("target_ms", kMillisecondNs, 0, 600000, "what a server should need",
                          THRESHOLD(http_slow_ttfb.target_ns)),
              number<C>("min_share", "fraction", 0, 1, "of the visits' wait",
                        THRESHOLD(http_slow_ttfb.min_share)),
              integer<C>("max_per_server", "targets", 1, 1000, "named, those with the most time",
                         THRESHOLD(http_slow_ttfb.max_per_server)),
              integer<C>("min_for_p10", "answers", 1, kMega,
                         "of fewer the p10, what is left at the low end, says nothing",
                         THRESHOLD(http_slow_ttfb.min_for_p10)),
          },
          "Lighthouse's server-response-time fails at 600 ms and aims at 100 ms; web-vitals' TTFB "
          "is good below 800 ms"};
}

Section<C> tcp_connection_churn() {
  return {"rule.tcp-connection-churn",
          "A client opens a connection for each request.",
          {
              number<C>("min_share", "fraction", 0, 1,
                        "of the connections carry one request and are opened again",
                        THRESHOLD(tcp_connection_churn.min_share)),
              duration<C>("return_within_s", kSecondNs, 0, 86400, "until the client is back",
                          THRESHOLD(tcp_connection_churn.return_within_ns)),
          },
          "twenty requests with and without keep-alive"};
}

Section<C> tcp_syn_loss() {
  return {"rule.tcp-syn-loss",
          "A SYN had to be sent again.",
          {
              duration<C>("min_wait_ms", kMillisecondNs, 0, 600000,
                          "from the first SYN to the one that was answered",
                          THRESHOLD(tcp_syn_loss.min_wait_ns)),
              number<C>("min_share", "fraction", 0, 1, "of the connections to the server",
                        THRESHOLD(tcp_syn_loss.min_share)),
          },
          "RFC 6298 section 2.1, the first timer is 1 s"};
}

Section<C> tcp_accept_overflow() {
  return {"rule.tcp-accept-overflow",
          "A listener's queue was full.",
          {
              integer<C>("min_events", "connections", 1, 1000000, "ignored at about the same time",
                         THRESHOLD(tcp_accept_overflow.min_events)),
              duration<C>("within_ms", kMillisecondNs, 1, 600000, "what about the same time means",
                          THRESHOLD(tcp_accept_overflow.within_ns)),
              duration<C>("min_wait_ms", kMillisecondNs, 0, 600000,
                          "how long a first request was unacknowledged",
                          THRESHOLD(tcp_accept_overflow.min_wait_ns)),
              duration<C>("min_syn_wait_ms", kMillisecondNs, 0, 600000,
                          "from the first SYN to the one that was answered: the first was ignored",
                          THRESHOLD(tcp_accept_overflow.min_syn_wait_ns)),
          },
          "runs with backlogs of 4, 64 and 128; RFC 6298 section 2.1, Linux TCP_RTO_MIN"};
}

Section<C> dns_slow_resolver() {
  return {"rule.dns-slow-resolver",
          "A resolver takes long to answer.",
          {
              duration<C>("p50_ms", kMillisecondNs, 0, 60000, "its answer time at the median",
                          THRESHOLD(dns_slow_resolver.p50_ns)),
              duration<C>("p95_ms", kMillisecondNs, 0, 60000, "its answer time at the slow end",
                          THRESHOLD(dns_slow_resolver.p95_ns)),
              number<C>("faster_factor", "times", 1, 1000,
                        "another one answers the same names so many times faster",
                        THRESHOLD(dns_slow_resolver.faster_factor)),
          },
          "resolvers 3 and 26 ms away"};
}

Section<C> dns_timeout_retry() {
  return {"rule.dns-timeout-retry",
          "A lookup waited for a resolver that did not answer.",
          {
              duration<C>("min_wait_ms", kMillisecondNs, 0, 600000,
                          "from the first question to the one that was answered",
                          THRESHOLD(dns_timeout_retry.min_wait_ns)),
              number<C>("min_share", "fraction", 0, 1, "of the lookups",
                        THRESHOLD(dns_timeout_retry.min_share)),
              number<C>(
                  "alive_share", "fraction", 0, 1,
                  "a resolver that answers so much of what it is asked is alive: packets are lost",
                  THRESHOLD(dns_timeout_retry.alive_share)),
          },
          "resolv.conf(5), 5 s and two attempts"};
}

Section<C> tcp_initcwnd_rounds() {
  return {"rule.tcp-initcwnd-rounds",
          "A response needs several flights of slow start.",
          {
              integer<C>("max_response_bytes", "bytes", 1, 1024 * kMega, "larger ones are left out",
                         THRESHOLD(tcp_initcwnd_rounds.max_response_bytes)),
              integer<C>("initial_segments", "segments", 1, 1000,
                         "a first flight of at most so many is the default one",
                         THRESHOLD(tcp_initcwnd_rounds.initial_segments)),
              integer<C>("proposed_segments", "segments", 1, 1000,
                         "of a first flight, that the change sets",
                         THRESHOLD(tcp_initcwnd_rounds.proposed_segments)),
              number<C>("min_share", "fraction", 0, 1, "of the responses to be judged",
                        THRESHOLD(tcp_initcwnd_rounds.min_share)),
              integer<C>("slack_segments", "segments", 0, 1000,
                         "by which a flight may be counted too large, or a response spill over",
                         THRESHOLD(tcp_initcwnd_rounds.slack_segments)),
          },
          "RFC 6928 section 2, Linux TCP_INIT_CWND"};
}

Section<C> http_h1_parallel_limit() {
  return {"rule.http-h1-parallel-limit",
          "Requests wait for a free connection.",
          {
              integer<C>("min_requests", "requests", 2, 100000, "of one visit to one server",
                         THRESHOLD(http_h1_parallel_limit.min_requests)),
              integer<C>("min_connections", "connections", 1, 1000, "that carried them",
                         THRESHOLD(http_h1_parallel_limit.min_connections)),
          },
          "Lighthouse's bar of six requests; browsers open six connections (RFC 9112 section 9.4)"};
}

Section<C> srv_saturation_knee() {
  return {"rule.srv-saturation-knee",
          "A server answers later the more it has to do.",
          {
              duration<C>("window_ms", kMillisecondNs, 10, 3600000,
                          "over which requests in flight are averaged",
                          THRESHOLD(srv_saturation_knee.window_ns)),
              integer<C>("min_windows", "windows", 1, 100000, "beyond the knee",
                         THRESHOLD(srv_saturation_knee.min_windows)),
              number<C>("response_factor", "times", 1, 1000, "slower than with little to do",
                        THRESHOLD(srv_saturation_knee.response_factor)),
              integer<C>("min_completions", "answers", 1, 1000000, "of a window that counts",
                         THRESHOLD(srv_saturation_knee.min_completions)),
              integer<C>("longest_windows", "windows", 1, kMega,
                         "an answer that took as many is left out: a long poll",
                         THRESHOLD(srv_saturation_knee.longest_windows)),
              number<C>("more_capacity", "times", 1, 1000,
                        "as much capacity as a change gives at least (the low end)",
                        THRESHOLD(srv_saturation_knee.more_capacity)),
          },
          "four workers under 1 to 24 clients"};
}

Section<C> tls_extra_rtt() {
  return {"rule.tls-extra-rtt",
          "A TLS handshake takes more than one round trip.",
          {
              number<C>("min_share", "fraction", 0, 1, "of the handshakes",
                        THRESHOLD(tls_extra_rtt.min_share)),
          },
          "RFC 8446 section 2, one round trip"};
}

Section<C> db_serial_roundtrips() {
  return {"rule.db-serial-roundtrips",
          "A client sends commands to a database or cache one by one.",
          {
              integer<C>("min_run", "queries", 2, 1000000, "in a row",
                         THRESHOLD(db_serial_roundtrips.min_run)),
              duration<C>("turn_gap_ms", kMillisecondNs, 0, 60000,
                          "the client's own time before the next one",
                          THRESHOLD(db_serial_roundtrips.turn_gap_ns)),
              duration<C>("min_waste_ms", kMillisecondNs, 0, 60000, "in round trips of a run",
                          THRESHOLD(db_serial_roundtrips.min_waste_ns)),
              duration<C>("min_rtt_us", kMicrosecondNs, 0, 1000000,
                          "a shorter path has nothing to gain",
                          THRESHOLD(db_serial_roundtrips.min_rtt_ns)),
          },
          "fifty GETs with and without a pipeline"};
}

Section<C> db_n_plus_one() {
  return {"rule.db-n-plus-one",
          "A client repeats one statement in a loop.",
          {
              integer<C>("min_repeats", "statements", 2, 1000000, "of one shape",
                         THRESHOLD(db_n_plus_one.min_repeats)),
              duration<C>("within_ms", kMillisecondNs, 0, 60000, "from one repeat to the next",
                          THRESHOLD(db_n_plus_one.within_ns)),
              duration<C>("min_total_ms", kMillisecondNs, 0, 60000, "all repeats together",
                          THRESHOLD(db_n_plus_one.min_total_ns)),
              integer<C>("max_per_server", "statements", 1, 1000, "named, those with the most time",
                         THRESHOLD(db_n_plus_one.max_per_server)),
          },
          "Sentry's detector of N+1 queries, 5 repeats and 50 ms; here 10 ms are enough"};
}

Section<C> db_slow_fingerprint() {
  return {
      "rule.db-slow-fingerprint",
      "A database takes long for statements of one shape.",
      {
          duration<C>("sql_p95_ms", kMillisecondNs, 0, 600000,
                      "its own time at the slow end, PostgreSQL and MySQL",
                      THRESHOLD(db_slow_fingerprint.sql_p95_ns)),
          duration<C>("cache_p95_ms", kMillisecondNs, 0, 600000, "likewise, Redis and memcached",
                      THRESHOLD(db_slow_fingerprint.cache_p95_ns)),
          integer<C>("max_per_server", "shapes", 1, 1000, "looked at, those with the most time",
                     THRESHOLD(db_slow_fingerprint.max_per_server)),
          integer<C>("min_for_p10", "calls", 1, kMega,
                     "of fewer the p10, what is left at the low end, says nothing",
                     THRESHOLD(db_slow_fingerprint.min_for_p10)),
          integer<C>("few_rows", "rows", 0, kMega,
                     "an answer of at most so many is said to want an index",
                     THRESHOLD(db_slow_fingerprint.few_rows)),
      },
      "Redis' slowlog-log-slower-than is 10 ms; an indexed read of PostgreSQL takes less than 1 "
      "ms"};
}

Section<C> tcp_nagle_delack() {
  return {
      "rule.tcp-nagle-delack",
      "Small writes wait for delayed acknowledgements.",
      {
          duration<C>("quick_min_ms", kMillisecondNs, 0, 60000, "the ACK is late by at least this",
                      THRESHOLD(tcp_nagle_delack.quick_min_ns)),
          duration<C>("quick_max_ms", kMillisecondNs, 0, 60000, "and at most this",
                      THRESHOLD(tcp_nagle_delack.quick_max_ns)),
          duration<C>("slow_min_ms", kMillisecondNs, 0, 60000, "or by at least this",
                      THRESHOLD(tcp_nagle_delack.slow_min_ns)),
          duration<C>("slow_max_ms", kMillisecondNs, 0, 60000, "and at most this",
                      THRESHOLD(tcp_nagle_delack.slow_max_ns)),
          integer<C>("min_events", "exchanges", 1, 1000000, "of one server that waited, or",
                     THRESHOLD(tcp_nagle_delack.min_events)),
          number<C>("min_share", "fraction", 0, 1, "of its exchanges",
                    THRESHOLD(tcp_nagle_delack.min_share)),
          integer<C>("max_delays", "ACKs", 1, 1000, "late one after another; more is no such stall",
                     THRESHOLD(tcp_nagle_delack.max_delays)),
      },
      "Linux TCP_DELACK_MIN 40 ms and TCP_DELACK_MAX 200 ms, RFC 1122 section 4.2.3.2"};
}

Section<C> tcp_path_loss() {
  return {"rule.tcp-path-loss",
          "A path loses segments.",
          {
              number<C>("min_share", "fraction", 0, 1, "of the data segments were sent again",
                        THRESHOLD(tcp_path_loss.min_share)),
              integer<C>("min_segments", "segments", 1, 1024 * kMega,
                         "with data, to or from a client's network",
                         THRESHOLD(tcp_path_loss.min_segments)),
          },
          "RFC 5681 section 3, loss halves the window"};
}

Section<C> tcp_tail_rto() {
  return {
      "rule.tcp-tail-rto",
      "A lost segment was noticed by a timer only.",
      {
          duration<C>("min_stall_ms", kMillisecondNs, 0, 600000, "silence that a resend ended",
                      THRESHOLD(tcp_tail_rto.min_stall_ns)),
          number<C>("min_share", "fraction", 0, 1, "of the exchanges",
                    THRESHOLD(tcp_tail_rto.min_share)),
          integer<C>("min_alike", "exchanges", 1, kMega,
                     "with a silence of the timer's length, where the loss was before the probe",
                     THRESHOLD(tcp_tail_rto.min_alike)),
      },
      "Linux TCP_RTO_MIN is 200 ms"};
}

Section<C> tcp_idle_restart() {
  return {"rule.tcp-idle-restart",
          "A connection begins slow start anew after a pause.",
          {
              integer<C>("min_response_bytes", "bytes", 1, 1024 * kMega,
                         "smaller answers fit into one flight",
                         THRESHOLD(tcp_idle_restart.min_response_bytes)),
              duration<C>("min_idle_ms", kMillisecondNs, 0, 3600000, "since the answer before",
                          THRESHOLD(tcp_idle_restart.min_idle_ns)),
              integer<C>("initial_segments", "segments", 1, 1000,
                         "a first flight of at most so many has begun anew",
                         THRESHOLD(tcp_idle_restart.initial_segments)),
              number<C>("min_share", "fraction", 0, 1, "of such answers after such a pause",
                        THRESHOLD(tcp_idle_restart.min_share)),
              integer<C>("slack_segments", "segments", 0, 1000,
                         "by which a flight may be counted too large",
                         THRESHOLD(tcp_idle_restart.slack_segments)),
          },
          "RFC 5681 section 4.1, Linux tcp_slow_start_after_idle"};
}

Section<C> visits() {
  return {
      "visits",
      "What counts as one visit of a user, and how many are kept for simulation.",
      {
          duration<C>("quiet_ms", kMillisecondNs, 1, 3600000, "silence that ends a visit",
                      THRESHOLD(visits.quiet_ns)),
          duration<C>("longest_s", kSecondNs, 1, 86400, "a longer one is cut",
                      THRESHOLD(visits.longest_ns)),
          duration<C>("database_quiet_ms", kMillisecondNs, 1, 3600000,
                      "silence that ends a burst of queries on one connection",
                      THRESHOLD(visits.database_quiet_ns)),
          duration<C>("queued_within_ms", kMillisecondNs, 0, 10000,
                      "a request this soon after an answer on its connection (a round trip to the "
                      "client taken off) had waited for it",
                      THRESHOLD(visits.queued_within_ns)),
          duration<C>("request_follows_handshake_ms", kMillisecondNs, 0, 10000,
                      "the first request of a connection this soon after its handshake had waited "
                      "for it",
                      THRESHOLD(visits.request_follows_handshake_ns)),
          duration<C>("connect_follows_lookup_ms", kMillisecondNs, 0, 60000,
                      "a connection opened this soon after the answer that named its address had "
                      "waited for it",
                      THRESHOLD(visits.connect_follows_lookup_ns)),
          duration<C>("together_within_ms", kMillisecondNs, 0, 60000,
                      "bursts of queries of one client that begin this close together are one",
                      THRESHOLD(visits.together_within_ns)),
          duration<C>("jitter_below_ms", kMillisecondNs, 0, 60000,
                      "a round trip this much above the shortest of its connection is a delayed "
                      "ACK or a queue, not jitter",
                      THRESHOLD(visits.jitter_below_ns)),
          integer<C>("connections_per_server", "connections", 1, 1000,
                     "that a browser opens to one server over HTTP/1",
                     THRESHOLD(visits.connections_per_server)),
          integer<C>("max_stored", "visits", 1, 16 * kMega,
                     "kept: first those with losses or failures, then by a hash of client and "
                     "time; the others count by weight",
                     THRESHOLD(visits.max_stored)),
          integer<C>("max_nodes", "activities", 16, kMega,
                     "lookups, handshakes and requests of one visit", THRESHOLD(visits.max_nodes)),
      },
      "pages and API calls of known structure, replayed; Linux TCP_DELACK_MIN; RFC 9112 section "
      "9.4"};
}

Section<C> lookups() {
  return {
      "lookups",
      "Which DNS questions are one lookup, and to which connection it led.",
      {
          duration<C>(
              "other_type_ms", kMillisecondNs, 0, 60000,
              "a question of another type (A, AAAA, HTTPS) this soon after the one before, or "
              "after its answer, is part of it",
              THRESHOLD(lookups.other_type_ns)),
          duration<C>("retry_s", kSecondNs, 0, 600,
                      "an unanswered question is asked again within this time",
                      THRESHOLD(lookups.retry_ns)),
          duration<C>("failover_s", kSecondNs, 0, 600,
                      "after SERVFAIL, REFUSED or TC: the next server, or TCP",
                      THRESHOLD(lookups.failover_ns)),
          duration<C>("longest_s", kSecondNs, 1, 3600, "a lookup takes no longer in all",
                      THRESHOLD(lookups.longest_ns)),
          duration<C>("search_next_s", kSecondNs, 0, 600,
                      "the next name of a search list follows the NXDOMAIN this soon",
                      THRESHOLD(lookups.search_next_ns)),
          integer<C>("suffix_labels", "labels", 1, 100, "of the longest suffix of a search list",
                     THRESHOLD(lookups.suffix_labels)),
          duration<C>(
              "stub_patience_s", kSecondNs, 0, 600,
              "so long a stub resolver may go on asking for a question that it did not answer",
              THRESHOLD(lookups.stub_patience_ns)),
          duration<C>(
              "answer_used_within_s", kSecondNs, 0, 86400,
              "a connection opened this soon after an answer with its address was led to by it",
              THRESHOLD(lookups.answer_used_within_ns)),
          duration<C>("asks_again_s", kSecondNs, 0, 600,
                      "who gets no answer asks again within this time",
                      THRESHOLD(lookups.asks_again_ns)),
          duration<C>(
              "watched_s", kSecondNs, 0, 3600,
              "who has not asked again in so long has been answered, though the capture does "
              "not show it",
              THRESHOLD(lookups.watched_ns)),
      },
      "resolv.conf(5): 5 s, doubled once, two attempts, three servers; Kubernetes' search lists of "
      "four labels"};
}

Section<C> gate() {
  return {"gate",
          "What a finding must reach to be reported.",
          {
              duration<C>("min_effect_ms", kMillisecondNs, 0, 60000, "smaller savings are left out",
                          THRESHOLD(gate.min_effect_ns)),
              number<C>("min_effect_share", "fraction", 0, 1,
                        "of the median wait of the affected visits; smaller savings are left out",
                        THRESHOLD(gate.min_effect_share)),
          },
          "medians of repeated runs in tests/lab differ by about 1 ms"};
}

Section<C> confidence() {
  return {
      "confidence",
      "How sure a finding is: A, B or C.",
      {
          integer<C>("samples_for_a", "visits or actions", 1, kMega, "for A",
                     THRESHOLD(confidence.samples_for_a)),
          integer<C>("samples_for_b", "visits or actions", 1, kMega, "for B",
                     THRESHOLD(confidence.samples_for_b)),
          number<C>("max_missing_share", "fraction", 0, 1,
                    "of a connection's bytes that were not captured; more lowers the confidence "
                    "of rules on loss",
                    THRESHOLD(confidence.max_missing_share)),
          number<C>("min_sure_share", "fraction", 0, 1,
                    "of the saving that is seen rather than inferred; less lowers the confidence",
                    THRESHOLD(confidence.min_sure_share)),
      },
      "the 95 % interval of a median is +- 0.14 standard deviations of 300 samples, +- 0.25 of "
      "100"};
}

Section<C> resend_timer() {
  return {"resend_timer",
          "How long TCP waits for an ACK before it sends again (RFC 6298 section 2; of Linux), for "
          "losses that happened before the probe.",
          {
              duration<C>("min_ms", kMillisecondNs, 1, 60000, "shortest timer (TCP_RTO_MIN)",
                          THRESHOLD(resend_timer.min_ns)),
              duration<C>("delayed_ack_ms", kMillisecondNs, 0, 10000,
                          "by which the ACK that started it may have been late (TCP_DELACK_MIN)",
                          THRESHOLD(resend_timer.delayed_ack_ns)),
              duration<C>("tick_ms", kMillisecondNs, 0, 1000, "by which it may run late (HZ = 100)",
                          THRESHOLD(resend_timer.tick_ns)),
          }};
}

}  // namespace

std::vector<Section<Config>> threshold_sections() {
  return {lookups(),
          visits(),
          db_n_plus_one(),
          db_serial_roundtrips(),
          db_slow_fingerprint(),
          dns_redundant_fanout(),
          dns_slow_resolver(),
          dns_timeout_retry(),
          http_h1_parallel_limit(),
          http_late_connection(),
          http_slow_ttfb(),
          srv_saturation_knee(),
          tcp_accept_overflow(),
          tcp_connection_churn(),
          tcp_idle_restart(),
          tcp_initcwnd_rounds(),
          tcp_nagle_delack(),
          tcp_path_loss(),
          tcp_syn_loss(),
          tcp_tail_rto(),
          tls_extra_rtt(),
          gate(),
          confidence(),
          resend_timer()};
}

}  // namespace wirelag::config
