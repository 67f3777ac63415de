// Cuts a connection's life into phases by walking once along it: what is known about a stretch is
// appended until the next thing begins, and nothing is ever written behind the place reached. That
// makes the sum exact by construction, and sets who wins where things overlap: what began earlier.
// So a pipelined exchange counts from the end of the one before it, as HTTP/1.1 answers in order,
// and within an exchange the later phase wins (a response that overtakes its request's end).
//
// Stretches that no exchange claims are named by what can be seen in them:
//
//   every byte was followed                    client_idle
//   nobody follows this protocol's messages    payload
//   bytes or a direction are missing           untracked
#include <algorithm>

#include <wirelag/control/opening.hpp>
#include <wirelag/control/phases.hpp>

namespace wirelag {
namespace {

/// What an interval belongs to.
struct Owner {
  std::size_t http = Dataset::kNone;
  std::size_t dns = Dataset::kNone;
  std::size_t database = Dataset::kNone;
  bool operator==(const Owner&) const = default;
};

/// The life, as far as it has been cut.
class Walk {
 public:
  Walk(TimeNs from, TimeNs to) : at_(from), end_(to) { phases_.total_ns.fill(kUnknownNs); }

  /// The life up to `to` is `phase`; nothing is changed when it has been cut further than that.
  void until(TimeNs to, Phase phase, const Owner& of = {}) {
    if (!known(to) || to < at_) return;
    to = std::min(to, end_);
    DurationNs& total = phases_.total_ns[static_cast<std::size_t>(phase)];
    total = (known(total) ? total : 0) + (to - at_);
    if (to == at_) return;
    auto& list = phases_.intervals;
    if (!list.empty() && list.back().phase == phase && of == latest_) {
      list.back().to_ns = to;
    } else {
      list.push_back({phase, at_, to, of.http, of.dns, of.database});
    }
    latest_ = of;
    at_ = to;
  }
  /// Like until(), for what is not there when it takes no time.
  void fill(TimeNs to, Phase phase) {
    if (known(to) && to > at_ && at_ < end_) until(to, phase);
  }

  [[nodiscard]] TimeNs end() const { return end_; }
  [[nodiscard]] ConnectionPhases take() { return std::move(phases_); }

 private:
  ConnectionPhases phases_;
  Owner latest_;  ///< of the last interval
  TimeNs at_;
  TimeNs end_;
};

// --------------------------------------------------------------------------------- the connection

TimeNs first_of(TimeNs a, TimeNs b) { return !known(a) ? b : !known(b) ? a : std::min(a, b); }

bool opening_seen(const Connection& c) { return c.state != ConnectionState::midstream; }

/// Packets of the client only, more than SYNs and a reset: there is another direction, unseen.
bool answers_unseen(const Connection& c) {
  if (!c.one_sided) return false;
  if (c.half.s2c.packets > 0) return true;
  return c.half.c2s.payload_bytes > 0 ||
         c.packets_after_syns() > (c.close == CloseKind::rst ? 1U : 0U);
}

bool bytes_missing(const Connection& c) {
  return c.half.c2s.impairment().missing_bytes + c.half.s2c.impairment().missing_bytes > 0;
}

/// When the opening ended: with the completing ACK, else with the first byte, else never.
TimeNs opening_end(const Connection& c) {
  if (known(c.established_time_ns)) return c.established_time_ns;
  const TimeNs first_byte = first_of(c.half.c2s.first_payload_ns, c.half.s2c.first_payload_ns);
  return known(first_byte) ? first_byte : c.last_time_ns;
}

// ---------------------------------------------------------------------------------- the exchanges

/// A question and its answer, of whatever protocol. Unknown times: not seen.
struct Exchange {
  TimeNs begin_ns = kUnknownNs;  ///< first byte of the request
  TimeNs sent_ns = kUnknownNs;   ///< last byte of it that the server waited for
  TimeNs answer_ns = kUnknownNs;
  TimeNs answered_ns = kUnknownNs;
  TimeNs upload_ns = kUnknownNs;  ///< last byte of a request that was answered before its end
  bool asked = false;             ///< the request is complete
  bool complete = false;          ///< and so is the response
  bool hands_over = false;        ///< the bytes behind it are another protocol's
  bool tls = false;
  Owner of;

  [[nodiscard]] TimeNs first_ns() const { return known(begin_ns) ? begin_ns : answer_ns; }
};

Exchange exchange_of(const HttpTransaction& t, std::size_t index) {
  Exchange e;
  const bool whole = !t.early_response && (t.request_complete || !known(t.request_headers_ns));
  e.begin_ns = t.request_first_ns;
  e.sent_ns = whole || !known(t.response_first_ns) ? t.request_last_ns : t.request_headers_ns;
  e.answer_ns = t.response_first_ns;
  e.answered_ns = t.response_last_ns;
  if (!whole) e.upload_ns = t.request_last_ns;
  e.asked = t.request_complete && (t.status != 0 || t.unanswered());
  e.complete = t.request_complete && t.response_complete && !t.resynchronised;
  e.hands_over = t.status == 101 || (t.method == "CONNECT" && t.status / 100 == 2);
  e.of.http = index;
  return e;
}

Exchange exchange_of(const DnsTransaction& t, std::size_t index) {
  Exchange e;
  e.begin_ns = e.sent_ns = t.first_query_ns;
  e.answer_ns = e.answered_ns = t.response_ns;
  e.asked = known(t.first_query_ns);
  e.complete = e.asked && known(t.response_ns);
  e.of.dns = index;
  return e;
}

/// One without a reply is over when it is sent.
Exchange exchange_of(const DatabaseTransaction& t, std::size_t index) {
  Exchange e;
  e.begin_ns = t.request_first_ns;
  e.sent_ns = t.request_last_ns;
  e.answer_ns = t.response_first_ns;
  e.answered_ns = t.response_last_ns;
  e.asked = known(t.request_last_ns) && !t.no_reply;
  e.complete = (t.response_complete || t.no_reply) && !t.resynchronised;
  e.of.database = index;
  return e;
}

/// The handshake as an exchange: from its first byte to its last flight, or to the first
/// application data when the flights cannot be told.
Exchange exchange_of(const TlsHandshake& t, TimeNs first_byte_ns) {
  Exchange e;
  e.tls = true;
  e.begin_ns = first_of(first_byte_ns, first_of(t.client_hello_ns, t.server_hello_ns));
  e.answered_ns = std::max(t.client_finished_ns, t.server_finished_ns);
  if (!known(e.answered_ns)) {
    e.answered_ns = first_of(t.first_client_data_ns, t.first_server_data_ns);
  }
  e.complete = known(e.answered_ns);
  return e;
}

std::vector<Exchange> exchanges_of(const Dataset& data, const Channel& channel,
                                   const Connection& c) {
  std::vector<Exchange> all;
  all.reserve(channel.http.size() + channel.dns.size() + channel.database.size() + 1);
  for (const std::size_t i : channel.http) all.push_back(exchange_of(data.http()[i], i));
  for (const std::size_t i : channel.dns) all.push_back(exchange_of(data.dns()[i], i));
  for (const std::size_t i : channel.database) all.push_back(exchange_of(data.database()[i], i));
  if (channel.tls != Dataset::kNone) {
    const bool from_the_first_byte = all.empty() && opening_seen(c);  // else in a tunnel
    all.push_back(exchange_of(data.tls()[channel.tls],
                              from_the_first_byte ? c.half.c2s.first_payload_ns : kUnknownNs));
  }
  std::erase_if(all, [](const Exchange& e) { return !known(e.first_ns()); });
  std::stable_sort(all.begin(), all.end(), [](const Exchange& a, const Exchange& b) {
    return a.first_ns() < b.first_ns();
  });
  return all;
}

// ---------------------------------------------------------------------------------------- the walk

class Cut {
 public:
  Cut(const Connection& c, bool any_exchange)
      : c_(c),
        walk_(c.start_time_ns, c.last_time_ns),
        blind_(answers_unseen(c)),
        holes_(bytes_missing(c)),
        last_byte_ns_(std::max(c.half.c2s.last_payload_ns, c.half.s2c.last_payload_ns)) {
    if (!blind_ && opening_contradicts(c)) {
      walk_.fill(opening_end(c), Phase::untracked);
    } else if (!blind_ && opening_seen(c)) {
      walk_.until(opening_end(c), Phase::connect);
      walk_.fill(greeting_ns(c), Phase::server_wait);
    }
    between_ = blind_                       ? Phase::untracked
               : !any_exchange              ? Phase::payload
               : holes_ || !opening_seen(c) ? Phase::untracked
                                            : Phase::client_idle;
  }

  void exchange(const Exchange& e, TimeNs next_ns) {
    walk_.fill(e.first_ns(), before(e));
    if (e.tls) return handshake(e);
    if (known(e.begin_ns)) walk_.until(e.sent_ns, Phase::request, e.of);
    if (known(e.answer_ns)) {
      if (known(e.begin_ns)) walk_.until(e.answer_ns, Phase::server_wait, e.of);
      walk_.until(e.answered_ns, Phase::transfer, e.of);
      if (known(e.upload_ns)) walk_.until(e.upload_ns, Phase::request, e.of);
    } else if (e.asked && !blind_ && !holes_) {
      walk_.until(known(next_ns) ? next_ns : walk_.end(), Phase::server_wait, e.of);
    }
    between_ = blind_ || holes_ || !e.complete ? Phase::untracked : Phase::client_idle;
    if (e.hands_over) between_ = Phase::payload;
  }

  ConnectionPhases rest() {
    if (between_ == Phase::payload && opening_seen(c_)) client_may_be_first();
    if (between_ != Phase::client_idle) walk_.fill(last_byte_ns_, between_);
    walk_.fill(walk_.end(), blind_ ? Phase::untracked : Phase::close_tail);
    return walk_.take();
  }

 private:
  /// Which flight was the last one cannot be told from one direction.
  void handshake(const Exchange& e) {
    if (blind_) return;
    walk_.until(e.complete ? e.answered_ns : last_byte_ns_, Phase::tls);
    between_ = Phase::payload;
  }

  /// What the time before an exchange is: the client's own, unless there are bytes that nobody
  /// followed.
  [[nodiscard]] Phase before(const Exchange& e) const {
    if (e.tls && between_ == Phase::payload && !holes_) return Phase::client_idle;
    // An answer to what could not be read: some of the time was the server's.
    const bool unasked = !e.tls && !known(e.begin_ns);
    return unasked && between_ == Phase::client_idle ? Phase::untracked : between_;
  }

  /// Of a protocol that nobody follows: the time before its first byte is the client's when the
  /// client speaks first.
  void client_may_be_first() {
    const TimeNs client = c_.half.c2s.first_payload_ns;
    const TimeNs server = c_.half.s2c.first_payload_ns;
    if (known(client) && (!known(server) || client <= server)) {
      walk_.fill(client, Phase::client_idle);
    }
  }

  const Connection& c_;
  Walk walk_;
  bool blind_;  ///< one direction was not captured
  bool holes_;  ///< bytes were not captured
  TimeNs last_byte_ns_;
  Phase between_;  ///< what the time from here to the next exchange is
};

}  // namespace

ConnectionPhases phases_of(const Dataset& data, const Channel& channel) {
  const Connection& c = data.connections()[channel.connection];
  if (!known(elapsed_ns(c.start_time_ns, c.last_time_ns))) {
    ConnectionPhases unknown;
    unknown.total_ns.fill(kUnknownNs);
    return unknown;
  }
  const std::vector<Exchange> exchanges = exchanges_of(data, channel, c);
  Cut cut(c, !exchanges.empty());
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    cut.exchange(exchanges[i], i + 1 < exchanges.size() ? exchanges[i + 1].first_ns() : kUnknownNs);
  }
  return cut.rest();
}

std::string_view name(Phase p) {
  static constexpr std::array<std::string_view, kPhases> kNames = {
#define X(symbol, meaning) #symbol,
      WIRELAG_PHASES(X)
#undef X
  };
  return kNames[static_cast<std::size_t>(p)];
}

}  // namespace wirelag
