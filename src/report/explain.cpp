#include "explain.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "format.hpp"

namespace wirelag::report {
namespace {

/// No stack repeats a SYN or SYN-ACK sooner: RFC 6298 section 2.1 starts at 1 s, tuned stacks at
/// some hundred ms.
constexpr DurationNs kShortestTimerNs = 20 * kMillisecondNs;
/// Linux: TCP_RTO_MIN.
constexpr DurationNs kShortestRtoNs = 200 * kMillisecondNs;

enum class Kind : std::uint8_t { syn, syn_ack, rst, ack };

Kind kind(const HandshakeSegment& s) {
  if (s.flags & tcp_flag::rst) return Kind::rst;
  if (!(s.flags & tcp_flag::syn)) return Kind::ack;
  return s.flags & tcp_flag::ack ? Kind::syn_ack : Kind::syn;
}

// ------------------------------------------------------------------------------------ the states

TcpState after_sending(TcpState state, Kind sent) {
  switch (sent) {
    case Kind::syn: return state == TcpState::syn_received ? state : TcpState::syn_sent;
    case Kind::syn_ack: return TcpState::syn_received;
    case Kind::rst: return TcpState::closed;
    case Kind::ack: return state == TcpState::syn_sent ? TcpState::established : state;
  }
  return state;
}

/// `passive`: the side was in LISTEN, and goes back there when a RST ends the attempt.
TcpState after_receiving(TcpState state, Kind received, bool passive) {
  switch (received) {
    case Kind::syn:
      return state == TcpState::listen || state == TcpState::syn_sent ? TcpState::syn_received
                                                                      : state;
    case Kind::syn_ack:
      return state == TcpState::syn_sent || state == TcpState::syn_received ? TcpState::established
                                                                            : state;
    case Kind::rst:
      return passive && state == TcpState::syn_received ? TcpState::listen : TcpState::closed;
    case Kind::ack: return state == TcpState::syn_received ? TcpState::established : state;
  }
  return state;
}

struct Sides {
  TcpState client = TcpState::closed;
  TcpState server = TcpState::listen;
  bool server_passive = true;
};

/// The states before the first captured segment. What the server answered first tells which it was
/// in.
Sides starting_states(const Connection& c) {
  if (c.state == ConnectionState::midstream) return {TcpState::unknown, TcpState::unknown, false};
  if (c.state == ConnectionState::no_syn_seen)
    return {TcpState::syn_sent, TcpState::syn_received, true};
  for (const HandshakeSegment& s : c.handshake()) {
    if (s.direction != Direction::s2c || s.earlier) continue;
    if (kind(s) == Kind::syn) return {TcpState::closed, TcpState::closed, false};
    if (kind(s) == Kind::rst && !c.syn_ack_seen()) {
      return {TcpState::closed, TcpState::closed, false};
    }
    break;
  }
  if (c.state == ConnectionState::syn_unanswered)
    return {TcpState::closed, TcpState::unknown, false};
  return {};
}

/// Whether both are the same SYN or SYN-ACK, sent again.
bool are_copies(const HandshakeSegment& a, const HandshakeSegment& b) {
  return a.direction == b.direction && kind(a) == kind(b) && a.seq == b.seq && !a.earlier &&
         !b.earlier;
}

/// The other side's first reaction to the segment at `i`; the number of segments when there is none.
std::size_t reaction(const Handshake& all, std::size_t i) {
  std::size_t k = i + 1;
  while (k < all.size() && (all[k].earlier || all[k].direction == all[i].direction)) {
    ++k;
  }
  return k;
}

/// Which of several copies of the SYN or SYN-ACK at `i` was answered, as the timestamp in the answer says
/// (RFC 7323: TSecr echoes TSval); null when it says nothing. It says nothing of a copy behind which another was sent by
/// a timer: Linux echoes the first SYN, or SYN-ACK, that it got in whatever answers a later copy, too.
const HandshakeSegment* echoed_copy(const Handshake& all, std::size_t i) {
  const std::size_t answer = reaction(all, i);
  if (answer == all.size() || !all[answer].options.timestamps) return nullptr;
  const HandshakeSegment* found = nullptr;
  for (std::size_t k = 0; k < answer; ++k) {
    const HandshakeSegment& s = all[k];
    if (!are_copies(s, all[i])) continue;
    if (found != nullptr && s.time_ns - found->time_ns >= kShortestRtoNs) return nullptr;
    if (!s.options.timestamps || s.options.tsval != all[answer].options.tsecr) continue;
    found = &s;
  }
  return found;
}

/// Whether the segment at `i` brought no answer: its copy did, or none has.
bool copy_without_answer(const Handshake& all, std::size_t i) {
  const HandshakeSegment& s = all[i];
  if (kind(s) != Kind::syn && kind(s) != Kind::syn_ack) return false;
  if (const HandshakeSegment* const echoed = echoed_copy(all, i)) return echoed != &s;
  for (std::size_t k = i + 1; k < reaction(all, i); ++k) {
    if (are_copies(all[k], s)) return true;
  }
  return false;
}

// ----------------------------------------------------------------------------------- the numbers

/// Initial sequence numbers of both directions as far as the opening tells them.
struct InitialNumbers {
  std::optional<std::uint32_t> c2s, s2c;

  explicit InitialNumbers(const Handshake& all) {
    for (const HandshakeSegment& s : all) {
      if (s.earlier) continue;
      std::optional<std::uint32_t>& own = s.direction == Direction::c2s ? c2s : s2c;
      std::optional<std::uint32_t>& peer = s.direction == Direction::c2s ? s2c : c2s;
      if (s.flags & tcp_flag::syn) own = own ? own : s.seq;
      if (kind(s) == Kind::syn_ack && !peer) peer = s.ack - 1;
    }
  }
  [[nodiscard]] std::optional<std::uint32_t> of(Direction d) const {
    return d == Direction::c2s ? c2s : s2c;
  }
};

void number(ExplainedSegment& e, const Connection& c, const InitialNumbers& initial) {
  const HandshakeSegment& s = e.segment;
  if (s.earlier) return;
  if (const auto own = initial.of(s.direction)) e.relative_seq = s.seq - *own;
  const auto peer = initial.of(reverse(s.direction));
  if ((s.flags & tcp_flag::ack) && peer) e.relative_ack = s.ack - *peer;
  if (s.flags & tcp_flag::syn) {
    e.scaled_window_bytes = s.window;  // RFC 7323 section 2.2: never scaled in a SYN
  } else if (c.syn_seen() && c.syn_ack_seen()) {
    const PerDirection<TcpOptions>& options = c.opening().options;
    const bool both = options.c2s.window_scale >= 0 && options.s2c.window_scale >= 0;
    const int shift = both ? options[s.direction].window_scale : 0;
    e.scaled_window_bytes = static_cast<std::uint32_t>(s.window) << shift;
  }
}

/// The segment before `i` that it repeats (same kind and direction) or answers (other direction).
DurationNs step_ns(const Handshake& all, std::size_t i) {
  const HandshakeSegment& s = all[i];
  for (std::size_t k = i; k-- > 0;) {
    const HandshakeSegment& before = all[k];
    if (before.earlier != s.earlier && !s.earlier) continue;
    const bool repeats = before.direction == s.direction && kind(before) == kind(s);
    if (repeats || before.direction != s.direction) return elapsed_ns(before.time_ns, s.time_ns);
  }
  return kUnknownNs;
}

// ------------------------------------------------------------------------------------- the words

struct Place {
  const Connection& c;
  const ExplainedSegment& e;
  std::size_t same_before = 0;  ///< segments of this kind and direction before it
  std::size_t syns_before = 0;  ///< the client's
  std::size_t syn_acks_before = 0;
  const HandshakeSegment* first = nullptr;  ///< of these segments
};

/// A repeat that no retransmission timer can explain.
bool too_soon(const Place& p) { return known(p.e.step_ns) && p.e.step_ns < kShortestTimerNs; }

std::string copy_words(const Place& p) {
  return fmt::format(
      "The same segment again after {}: too soon for a retransmission timer. Most likely the "
      "capture delivered it twice.",
      duration(p.e.step_ns));
}

std::string syn_words(const Place& p) {
  if (p.e.segment.direction == Direction::s2c) {
    return "The server side sends a SYN of its own: both sides open at once (RFC 9293 section "
           "3.5).";
  }
  if (p.same_before == 0) {
    return "The client asks for a connection and states its limits. The connect time starts here.";
  }
  if (too_soon(p)) return copy_words(p);
  return fmt::format(
      "The same SYN again, {} after the copy before it: that one, or its answer, was lost or "
      "ignored. The user waited all of it (the timer starts at 1 s and doubles: RFC 6298).",
      duration(p.e.step_ns));
}

std::string syn_ack_words(const Place& p) {
  if (p.e.segment.direction == Direction::c2s) return "The client answers the server's own SYN.";
  if (p.same_before > 0) {
    if (p.first->seq != p.e.segment.seq) {
      return fmt::format(
          "Another SYN-ACK, {} after the one before it, with a number of its own: of a second "
          "server behind this address, or of one that restarted. The number that the client "
          "acknowledges "
          "tells which of them counts.",
          duration(p.e.step_ns));
    }
    if (too_soon(p)) return copy_words(p);
    return fmt::format(
        "The SYN-ACK again, {} after the copy before it: the server had no ACK in time.",
        duration(p.e.step_ns));
  }
  if (p.syns_before == 0 ? p.c.state != ConnectionState::no_syn_seen
                         : p.syns_before == 1 && !known(p.c.rtt_probe_server_ns)) {
    return "The server accepts and states its limits. The capture has an answer before its "
           "question, "
           "so no time of this exchange can be measured.";
  }
  if (p.syns_before == 0) {
    return "The server accepts and states its limits. The SYN before it was not captured, so the "
           "server half cannot be measured.";
  }
  if (known(p.c.rtt_probe_server_ns)) {
    return fmt::format(
        "The server accepts and states its limits. {} since the SYN it answers: probe-to-server "
        "half "
        "(capture point -> server -> capture point).",
        duration(p.c.rtt_probe_server_ns));
  }
  return fmt::format(
      "The server accepts and states its limits. {} SYNs were under way and it can answer any of "
      "them, so the server half is ambiguous and not given (Karn).",
      p.syns_before);
}

std::string rst_words(const Place& p) {
  if (p.e.segment.direction == Direction::c2s) return "The client gives up and resets the attempt.";
  if (p.syn_acks_before > 0) return "The server resets the attempt that it had accepted.";
  return fmt::format(
      "The server refuses after {}: nothing listens on port {}, or a firewall answers for it.",
      duration(p.e.step_ns), p.c.server.port);
}

std::string ack_words(const Place& p) {
  std::string text = "The client acknowledges the SYN-ACK: both sides may send. ";
  if (known(p.c.rtt_probe_client_ns)) {
    text += fmt::format(
        "{} since the SYN-ACK: probe-to-client half (capture point -> client -> capture point).",
        duration(p.c.rtt_probe_client_ns));
  } else if (p.syn_acks_before > 1) {
    text += fmt::format(
        "It can answer any of {} SYN-ACKs, so the client half is ambiguous and not given (Karn).",
        p.syn_acks_before);
  } else {
    text += "The client half cannot be measured.";
  }
  if (p.e.segment.payload_length > 0) {
    text += fmt::format(" It already carries {} of data.", bytes(p.e.segment.payload_length));
  }
  return text;
}

std::string earlier_words(const HandshakeSegment& s) {
  if (s.direction == Direction::c2s) {
    return "The client resets what is left of the earlier connection. This attempt goes on: it "
           "still "
           "waits for an answer.";
  }
  return fmt::format(
      "No answer to the SYN: it acknowledges {}, which this connection has not sent. It belongs to "
      "an "
      "earlier one on the same ports (RFC 9293 section 3.5).",
      s.ack);
}

std::string meaning(const Connection& c, const Handshake& all, std::size_t i,
                    const ExplainedSegment& e) {
  if (e.segment.earlier) return earlier_words(e.segment);
  Place p{c, e};
  for (std::size_t k = 0; k < i; ++k) {
    const HandshakeSegment& s = all[k];
    if (s.earlier) continue;
    const bool same = s.direction == e.segment.direction && kind(s) == kind(e.segment);
    if (same && p.same_before++ == 0) p.first = &s;
    p.syns_before += s.direction == Direction::c2s && kind(s) == Kind::syn;
    p.syn_acks_before += s.direction == Direction::s2c && kind(s) == Kind::syn_ack;
  }
  switch (kind(e.segment)) {
    case Kind::syn: return syn_words(p);
    case Kind::syn_ack: return syn_ack_words(p);
    case Kind::rst: return rst_words(p);
    case Kind::ack: return ack_words(p);
  }
  return "";
}

}  // namespace

std::string_view name(TcpState state) {
  switch (state) {
    case TcpState::unknown: return "not known";
    case TcpState::closed: return "CLOSED";
    case TcpState::listen: return "LISTEN";
    case TcpState::syn_sent: return "SYN-SENT";
    case TcpState::syn_received: return "SYN-RECEIVED";
    case TcpState::established: return "ESTABLISHED";
  }
  return "not known";
}

std::vector<ExplainedSegment> explain(const Connection& c) {
  std::vector<ExplainedSegment> told;
  const Handshake all = c.handshake();
  const InitialNumbers initial(all);
  Sides now = starting_states(c);
  for (std::size_t i = 0; i < all.size(); ++i) {
    ExplainedSegment e;
    e.segment = all[i];
    e.offset_ns = elapsed_ns(all[0].time_ns, e.segment.time_ns);
    e.step_ns = step_ns(all, i);
    e.arrived = !copy_without_answer(all, i);
    number(e, c, initial);
    e.meaning = meaning(c, all, i, e);

    const Sides before = now;
    e.client = {before.client, before.client};
    e.server = {before.server, before.server};
    if (e.segment.earlier) {
      told.push_back(std::move(e));
      continue;
    }
    const bool by_client = e.segment.direction == Direction::c2s;
    TcpState& sender = by_client ? now.client : now.server;
    TcpState& receiver = by_client ? now.server : now.client;
    if (sender != TcpState::unknown) sender = after_sending(sender, kind(e.segment));
    if (e.arrived && receiver != TcpState::unknown) {
      receiver = after_receiving(receiver, kind(e.segment), by_client && now.server_passive);
    }
    e.client = {before.client, now.client};
    e.server = {before.server, now.server};
    told.push_back(std::move(e));
  }
  return told;
}

}  // namespace wirelag::report
