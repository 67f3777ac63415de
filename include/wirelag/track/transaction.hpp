// What the trackers emit: one plain value per finished connection, DNS transaction, HTTP exchange,
// TLS handshake or exchange with a database, with who, every phase time, how it ended and the frames that prove it. The
// numbers are defined in docs/metrics.md.
//
// Every transaction is trivially copyable; its only references are the texts, bytes and lists named in
// its `views()`, those of the strictest alignment first. They point into the worker's memory and die when
// emit() returns: a sink that keeps the transaction copies them. What most connections have little or
// nothing of is a list, so that a kept one is small.
#pragma once

#include <tuple>
#include <type_traits>
#include <variant>

#include <wirelag/base/bounded_list.hpp>
#include <wirelag/base/ip.hpp>
#include <wirelag/base/types.hpp>
#include <wirelag/base/views.hpp>
#include <wirelag/classify/classifier.hpp>
#include <wirelag/decode/packet.hpp>
#include <wirelag/track/transfer.hpp>

namespace wirelag {

/// Names a connection across workers until the control core numbers them by first frame.
/// worker index << 48 | serial (from 1); 0 = none.
using ConnectionKey = std::uint64_t;

template <class T>
struct PerDirection {
  T c2s{};
  T s2c{};
  [[nodiscard]] T& operator[](Direction d) { return d == Direction::c2s ? c2s : s2c; }
  [[nodiscard]] const T& operator[](Direction d) const { return d == Direction::c2s ? c2s : s2c; }
};

/// What most transactions have none of: the one, or one in its initial state.
template <class T>
[[nodiscard]] const T& one_of(const ShortSpan<T>& shown) {
  static constexpr T kNone;
  return shown.empty() ? kNone : shown.front();
}

/// Nothing where neither direction was measured. `stalls` must outlive the view.
[[nodiscard]] inline ShortSpan<ExchangeStalls> shown(const ExchangeStalls& stalls) {
  return {&stalls, stalls.measured() ? 1U : 0U};
}

// ---------------------------------------------------------------------------------------- TCP

enum class ConnectionState : std::uint8_t {
  complete,           ///< SYN, SYN-ACK, ACK
  synack_no_ack,      ///< the client never acknowledged the SYN-ACK
  refused,            ///< RST answered the SYN
  syn_unanswered,     ///< nothing from the server
  syn_no_synack,      ///< packets from the server, but no SYN-ACK (split handshake, ...)
  simultaneous_open,  ///< SYN from both sides and no SYN-ACK from the server (RFC 9293 section 3.5)
  no_syn_seen,        ///< starts at the SYN-ACK
  midstream,          ///< neither SYN nor SYN-ACK
};
enum class CloseKind : std::uint8_t { open, fin_client, fin_server, fin_both, rst };
/// How it was decided who is the client.
enum class ClientBasis : std::uint8_t { syn, synack, protocol, port, first_packet };
/// Why the tracker let go of the connection.
enum class ConnectionEnd : std::uint8_t {
  capture_end,  ///< still open when the capture or the run ended
  port_reused,  ///< a new SYN with another sequence number on the same four-tuple
  idle_timeout,
  closed,   ///< closed and quiet since
  evicted,  ///< the flow table was full
};

/// Classes of segments that carry nothing new (docs/metrics.md).
#define WIRELAG_RETRANSMISSIONS(X)                                                           \
  X(handshake, "a repeated SYN or SYN-ACK")                                                  \
  X(rto, "sent again after the retransmission timer ran out (RFC 6298)")                     \
  X(fast, "sent again after duplicate ACKs or SACK (RFC 5681, RFC 6675)")                    \
  X(tail_probe, "tail loss probe (RFC 8985)")                                                \
  X(fin, "a repeated FIN without payload")                                                   \
  X(syn_data, "data of the SYN: the server took the SYN without it (RFC 7413)")              \
  X(spurious, "all of it had been acknowledged already")                                     \
  X(unclassified, "sent again or overtaken: frames without a time do not tell")              \
  X(keep_alive, "one byte or none before the next expected one (RFC 9293 section 3.8.4)")    \
  X(zero_window_probe, "sent into a closed window (RFC 9293 section 3.8.6.1)")               \
  X(mirror_duplicate, "the capture delivered the same packet twice: not the sender's doing") \
  X(out_of_order, "new bytes, overtaken on the way: not a retransmission")

enum class RetransmissionClass : std::uint8_t {
#define X(symbol, meaning) symbol,
  WIRELAG_RETRANSMISSIONS(X)
#undef X
};
inline constexpr std::size_t kRetransmissionClasses = 0
#define X(symbol, meaning) +1
    WIRELAG_RETRANSMISSIONS(X)
#undef X
    ;
[[nodiscard]] std::string_view name(RetransmissionClass c);
[[nodiscard]] std::string_view name(ConnectionState s);
[[nodiscard]] std::string_view name(CloseKind c);
[[nodiscard]] std::string_view name(ClientBasis b);
[[nodiscard]] std::string_view name(ConnectionEnd e);

/// Options of a SYN or SYN-ACK, and the timestamps of any segment (RFC 7323, RFC 2018).
struct TcpOptions {
  std::uint16_t mss = 0;          ///< 0 = option absent
  std::int8_t window_scale = -1;  ///< shift count, at most 14, -1 = option absent
  bool sack_permitted : 1 = false;
  bool timestamps : 1 = false;  ///< tsval and tsecr are valid
  std::uint32_t tsval = 0;
  std::uint32_t tsecr = 0;
};

/// A segment of the opening exchange, kept whole so that the handshake can be explained.
struct HandshakeSegment {
  TimeNs time_ns = kUnknownNs;
  FrameNumber frame = 0;
  std::uint32_t seq = 0;  ///< as on the wire
  std::uint32_t ack = 0;
  std::uint32_t payload_length = 0;
  TcpOptions options;
  std::uint16_t window = 0;  ///< unscaled
  std::uint8_t flags = 0;    ///< tcp_flag
  Direction direction : 1 = Direction::c2s;
  bool earlier : 1 = false;  ///< answers an earlier connection on the same ports, or resets it
};

/// The segments of an opening, in order of capture.
using Handshake = BoundedList<HandshakeSegment, 8>;

/// What SYN and SYN-ACK said, and all of an ordinary opening. Nearly every one is ordinary: SYN, SYN-ACK and ACK as
/// far as it came, one of each, without payload, whose numbers follow from each other (RFC 9293 section 3.5). Its
/// segments are worked out from this: kept one by one they take half as much again.
struct ConnectionOpening {
  /// Of SYN, SYN-ACK and ACK.
  std::array<TimeNs, 3> time_ns = {kUnknownNs, kUnknownNs, kUnknownNs};
  PerDirection<TcpOptions> options;       ///< of SYN (c2s) and SYN-ACK (s2c), of any opening
  std::array<std::uint16_t, 3> window{};  ///< unscaled; the first two of any opening
  std::array<std::uint8_t, 3> flags{};    ///< tcp_flag
  std::uint8_t segments : 2 = 0;  ///< of an ordinary opening, that were seen; 0 = of any other
  bool ack_has_timestamps : 1 = false;
  PerDirection<std::uint32_t> isn;  ///< initial sequence numbers
  std::uint32_t ack_tsval = 0;      ///< valid with ack_has_timestamps
  std::uint32_t ack_tsecr = 0;

  /// The segment `at` < 3 of an ordinary opening.
  [[nodiscard]] HandshakeSegment segment(std::size_t at, FrameNumber frame) const;
};
static_assert(sizeof(ConnectionOpening) == 80, "one for each connection that is kept");

struct RttStats {
  std::uint32_t samples = 0;
  DurationNs min_ns = kUnknownNs;
  DurationNs max_ns = kUnknownNs;
  DurationNs sum_ns = 0;

  void add(DurationNs rtt_ns) {
    ++samples;
    sum_ns = plus_ns(sum_ns, rtt_ns);
    if (!known(min_ns) || rtt_ns < min_ns) min_ns = rtt_ns;
    if (!known(max_ns) || rtt_ns > max_ns) max_ns = rtt_ns;
  }
  [[nodiscard]] DurationNs mean_ns() const { return samples ? sum_ns / samples : kUnknownNs; }
};

/// What one segment tells of a connection's round trip, while the connection goes on.
struct DataRoundTrip {
  Endpoint server;
  ServiceId service = kNoService;     ///< by the names seen so far
  Direction data = Direction::c2s;    ///< c2s: the probe-server half, s2c: the probe-client half
  DurationNs to_ack_ns = kUnknownNs;  ///< data -> first ACK covering it, Karn's rule kept
  DurationNs to_timestamp_ns = kUnknownNs;  ///< data -> echo of its TSval (RFC 7323)
};

/// What one side of a connection sent in vain or could not send, and the windows that it closed.
struct Impairment {
  std::uint64_t missing_bytes = 0;  ///< sequence space that was never captured
  std::array<std::uint32_t, kRetransmissionClasses> retransmissions{};
  /// Per class: from when the loss could be noticed to the resend (docs/metrics.md); never the same
  /// time twice.
  std::array<DurationNs, kRetransmissionClasses> lost_ns{};
  DurationNs time_lost_ns = 0;             ///< all of lost_ns
  TimeNs lost_until_ns = kUnknownNs;       ///< the latest resend that lost_ns counts
  DurationNs zero_window_ns = 0;           ///< how long this side announced a closed window
  std::uint32_t zero_windows = 0;          ///< how often it closed it
  DurationNs window_full_ns = 0;           ///< how long its data filled the peer's open window
  std::uint32_t windows_full = 0;          ///< how often it did
  std::uint32_t duplicates_reported = 0;   ///< its segments that the peer had twice (RFC 2883)
  std::uint32_t keep_alives_answered = 0;  ///< of its keep_alive and zero_window_probe segments
};

/// One direction of a connection.
struct HalfConnection {
  std::uint64_t packets = 0;
  std::uint64_t payload_packets = 0;  ///< with payload; a captured frame larger than the MSS is one
  std::uint64_t payload_bytes = 0;    ///< by the IP header, resends included
  TimeNs first_payload_ns = kUnknownNs;
  TimeNs last_payload_ns = kUnknownNs;
  ShortSpan<Impairment> impaired;  ///< one, or none

  [[nodiscard]] const Impairment& impairment() const { return one_of(impaired); }
};

struct Connection {
  static constexpr std::string_view kKind = "connection";

  ConnectionKey key = 0;
  Endpoint client;
  Endpoint server;
  ConnectionState state = ConnectionState::midstream;
  CloseKind close = CloseKind::open;
  ClientBasis basis = ClientBasis::first_packet;
  ConnectionEnd end = ConnectionEnd::capture_end;
  Protocol protocol = Protocol::unknown;
  ServiceId service = kNoService;
  bool one_sided = false;  ///< packets of one direction only
  /// The capture gives some of its frames no time (Frame::untimed): start_time_ns is that of the frame before,
  /// and what cannot be told without is unknown, or 0 and without meaning where it is a sum of times.
  bool untimed = false;
  /// An answer may belong to either of two copies (Karn), or the capture has it before its question
  /// (frames swapped, two clocks, a clock that stepped back): the halves concerned are unknown.
  bool handshake_ambiguous = false;
  Direction close_by = Direction::c2s;  ///< whose the first FIN or RST was, unless it is open

  FrameNumber first_frame = 0;
  FrameNumber last_frame = 0;
  FrameNumber ack_frame = 0;             ///< completes the handshake
  FrameNumber close_frame = 0;           ///< the first FIN or RST
  ListView<FrameNumber> syn_frames;      ///< client's SYNs
  ListView<FrameNumber> syn_ack_frames;  ///< server's SYN-ACKs

  TimeNs start_time_ns = 0;                 ///< first packet
  TimeNs last_time_ns = 0;                  ///< last packet
  TimeNs established_time_ns = kUnknownNs;  ///< the completing ACK
  TimeNs close_time_ns = kUnknownNs;        ///< the first FIN or RST

  DurationNs syn_wait_ns = kUnknownNs;
  DurationNs rtt_probe_server_ns = kUnknownNs;
  DurationNs synack_wait_ns = kUnknownNs;
  DurationNs rtt_probe_client_ns = kUnknownNs;
  DurationNs handshake_rtt_ns = kUnknownNs;
  DurationNs connect_time_ns = kUnknownNs;

  PerDirection<HalfConnection> half;
  RttStats rtt_probe_server;             ///< c2s data to its ACK
  RttStats rtt_probe_client;             ///< s2c data to its ACK
  RttStats rtt_probe_server_timestamps;  ///< c2s data to the echo of its TSval (RFC 7323)
  RttStats rtt_probe_client_timestamps;  ///< s2c likewise
  ShortSpan<ConnectionOpening> opened;   ///< one; none: nothing of an opening was seen
  ListView<HandshakeSegment> segments;   ///< of an opening that is not ordinary

  [[nodiscard]] const ConnectionOpening& opening() const { return one_of(opened); }
  /// The opening exchange, however it is kept.
  [[nodiscard]] Handshake handshake() const;
  [[nodiscard]] bool syn_seen() const {
    return state != ConnectionState::no_syn_seen && state != ConnectionState::midstream;
  }
  [[nodiscard]] bool syn_ack_seen() const {
    return state == ConnectionState::complete || state == ConnectionState::synack_no_ack ||
           state == ConnectionState::no_syn_seen;
  }
  /// SYNs of the client, and SYN-ACKs of the server, without copies that the mirror made. On a live link too, whose
  /// frames have no numbers.
  [[nodiscard]] std::uint64_t syns() const { return syn_seen() ? sent(half.c2s, syn_frames) : 0; }
  [[nodiscard]] std::uint64_t syn_acks() const {
    return syn_ack_seen() ? sent(half.s2c, syn_ack_frames) : 0;
  }
  /// What the client sent beside SYNs, and copies that the mirror made.
  [[nodiscard]] std::uint64_t packets_after_syns() const;
  /// It was answered, whether that was captured or not.
  [[nodiscard]] bool client_went_on() const { return packets_after_syns() > 0; }
  auto views() {
    return std::tie(opened, segments, half.c2s.impaired, half.s2c.impaired, syn_frames,
                    syn_ack_frames);
  }

 private:
  /// The first one and what was sent again; of frames without a time it cannot be told what was (untimed).
  [[nodiscard]] static std::uint64_t sent(const HalfConnection& half,
                                          const ListView<FrameNumber>& frames);
};

// ---------------------------------------------------------------------------------------- DNS

enum class DnsTransport : std::uint8_t { udp, tcp };
enum class DnsOutcome : std::uint8_t {
  answered,  ///< NOERROR with an answer
  nodata,    ///< NOERROR without one, or with aliases that lead to none (RFC 2308 section 2.2)
  nxdomain,
  failed,         ///< another rcode
  truncated,      ///< TC=1: must be asked again over TCP
  unanswered,     ///< no response within the capture or dns.timeout
  response_only,  ///< a response whose query was not captured
  not_visible,  ///< without a response, on a connection of which only the client's side was captured
};
[[nodiscard]] std::string_view name(DnsTransport t);
[[nodiscard]] std::string_view name(DnsOutcome o);

/// One question to one resolver, re-sent copies included.
struct DnsTransaction {
  static constexpr std::string_view kKind = "dns";

  Endpoint client;
  Endpoint resolver;
  DnsTransport transport = DnsTransport::udp;
  DnsOutcome outcome = DnsOutcome::unanswered;
  ServiceId service = kNoService;
  std::uint16_t id = 0;
  std::uint16_t qtype = 0;
  std::uint16_t qclass = 0;
  std::uint16_t edns_size = 0;  ///< UDP payload size the query announced (RFC 6891); 0 = no EDNS
  std::uint16_t rcode = 0;  ///< valid when there is a response; EDNS's bits above the header's four
  std::uint16_t answer_count = 0;  ///< ANCOUNT of the response
  bool truncated = false;          ///< TC of the response
  bool malformed = false;          ///< a message ended early or has a name against the rules
  bool untimed = false;            ///< a time is that of the frame before it (Frame::untimed)

  /// The first query, then its copies: re-sent ones and those that the mirror made.
  ListView<FrameNumber> query_frames;
  ListView<FrameNumber> duplicate_response_frames;  ///< without copies that the mirror made
  /// Frames that the capture delivered twice: of the query (c2s), of the responses (s2c).
  PerDirection<std::uint16_t> mirror_duplicates;
  FrameNumber response_frame = 0;
  TimeNs first_query_ns = kUnknownNs;
  TimeNs last_query_ns = kUnknownNs;  ///< last copy before the response
  TimeNs response_ns = kUnknownNs;
  ConnectionKey connection = 0;  ///< DNS over TCP

  ShortText qname;  ///< lower case, no final dot, "." for the root; odd bytes as \DDD;
                    ///< empty: no question, or its name cannot be read
  /// The response message, from which the control core decodes the answers. Its ID may be another's: see `id`.
  ShortSpan<std::uint8_t> response;

  /// The type is known even of a question whose name cannot be read.
  [[nodiscard]] bool has_question() const { return !qname.empty() || qclass != 0 || qtype != 0; }
  /// How often the client sent the query again.
  [[nodiscard]] std::uint32_t resent() const {
    const std::size_t seen = query_frames.size() + query_frames.left_out();
    const std::size_t not_resent = std::size_t{1} + mirror_duplicates.c2s;
    return seen > not_resent ? static_cast<std::uint32_t>(seen - not_resent) : 0;
  }
  [[nodiscard]] DurationNs latency_ns() const {
    return untimed ? kUnknownNs : elapsed_ns(first_query_ns, response_ns);
  }
  [[nodiscard]] DurationNs resolver_ns() const {
    return untimed ? kUnknownNs : elapsed_ns(last_query_ns, response_ns);
  }
  auto views() { return std::tie(query_frames, duplicate_response_frames, qname, response); }
};

// --------------------------------------------------------------------------------------- HTTP

/// A request and its final response, paired in order. Either may be missing.
struct HttpTransaction {
  static constexpr std::string_view kKind = "http";

  ConnectionKey connection = 0;
  Endpoint client;
  Endpoint server;
  ServiceId service = kNoService;
  std::uint16_t status = 0;  ///< 0 = no response
  bool request_seen = false;
  bool request_unreadable = false;  ///< not seen, but the client sent bytes that could not be read
  bool request_complete = false;
  bool response_complete = false;
  bool pipelined = false;  ///< sent while an earlier request was unanswered
  /// Paired again behind a hole in the bytes; without its request or response: which one is its cannot be told.
  bool resynchronised = false;
  bool early_response = false;         ///< the response began before the request was complete
  bool keep_alive = true;              ///< the connection stays usable after this exchange
  bool ends_with_close = false;        ///< the server's FIN is the end of the response's body
  bool text_cut = false;               ///< a text below is only the beginning of what was sent
  std::uint8_t interim_responses = 0;  ///< 1xx before the final one

  FrameSpan request_frames;
  FrameSpan response_frames;
  TimeNs request_first_ns = kUnknownNs;
  TimeNs request_headers_ns = kUnknownNs;  ///< end of the request's headers
  TimeNs request_last_ns = kUnknownNs;     ///< end of the request, or the last byte seen of it
  TimeNs response_first_ns = kUnknownNs;
  TimeNs response_last_ns = kUnknownNs;
  std::uint64_t request_bytes = 0;  ///< start line, headers and body as on the wire
  std::uint64_t response_bytes = 0;
  std::uint64_t response_body_bytes = 0;
  TransferShape response_shape;
  ShortSpan<ExchangeStalls> stalled;  ///< one; none: nothing was measured

  ShortText method;
  ShortText host;    ///< Host header, empty when absent
  ShortText target;  ///< request target as sent
  ShortText referer;
  ShortText content_type;  ///< of the response
  ShortText location;      ///< of the response

  [[nodiscard]] const ExchangeStalls& stalls() const { return one_of(stalled); }
  /// False also when it cannot be told.
  [[nodiscard]] bool unanswered() const { return request_seen && status == 0 && !resynchronised; }
  [[nodiscard]] DurationNs request_ns() const {
    return elapsed_ns(request_first_ns, request_last_ns);
  }
  /// From the end of the request; from the end of its headers when the server did not wait for more
  /// or the rest was not seen.
  [[nodiscard]] DurationNs server_wait_ns() const {
    const bool whole = !early_response && (request_complete || !known(request_headers_ns));
    return elapsed_ns(whole ? request_last_ns : request_headers_ns, response_first_ns);
  }
  [[nodiscard]] DurationNs transfer_ns() const {
    return elapsed_ns(response_first_ns, response_last_ns);
  }
  [[nodiscard]] DurationNs total_ns() const {
    return elapsed_ns(request_first_ns, response_last_ns);
  }
  auto views() { return std::tie(stalled, method, host, target, referer, content_type, location); }
};

// ---------------------------------------------------------------------------------------- TLS

enum class TriState : std::uint8_t { unknown, no, yes };

struct TlsHandshake {
  static constexpr std::string_view kKind = "tls";

  ConnectionKey connection = 0;
  Endpoint client;
  Endpoint server;
  ServiceId service = kNoService;
  std::uint16_t version = 0;         ///< negotiated, wire number (0x0304 = TLS 1.3); 0 = not seen
  std::uint16_t client_version = 0;  ///< highest the client offered
  std::uint16_t cipher = 0;          ///< 0 = not seen
  TriState resumed = TriState::unknown;
  /// no: the ServerHello is the first that the server said, or older than TLS 1.3; yes also when only the second
  /// ClientHello was captured of it (RFC 8446 section 4.1.4).
  TriState hello_retry = TriState::unknown;
  /// What the client offered is unknown where its first ClientHello was captured in part or not at all.
  TriState early_data_offered = TriState::unknown;
  /// no: the server did not take the 0-RTT data. Acceptance is encrypted: never yes.
  TriState early_data_accepted = TriState::unknown;
  TriState psk_offered = TriState::unknown;
  TriState ech_offered =
      TriState::unknown;                ///< or GREASE for it: `sni` may be the public name only
  bool last_flights_seen = false;       ///< of both sides, in frames without a time too
  std::uint8_t round_trips = 0;         ///< before the client could send ordinary data; 0 = unknown
  std::uint32_t certificate_bytes = 0;  ///< of the server's Certificate message; 0 = not seen

  FrameSpan client_hello_frames;  ///< last = where it is complete
  FrameSpan server_hello_frames;
  FrameNumber hello_retry_frame = 0;  ///< 0: none, or not captured
  FrameNumber alert_frame = 0;   ///< fatal alert in clear text that ended the handshake; 0 = none
  std::uint8_t alert = 0;        ///< its description (RFC 8446 section 6)
  bool alert_by_client = false;  ///< who sent it
  TimeNs client_hello_ns = kUnknownNs;       ///< complete
  TimeNs server_hello_ns = kUnknownNs;       ///< complete (the final one after a HelloRetryRequest)
  TimeNs client_finished_ns = kUnknownNs;    ///< last handshake flight of the client
  TimeNs server_finished_ns = kUnknownNs;    ///< last handshake flight of the server
  TimeNs first_client_data_ns = kUnknownNs;  ///< first application data
  TimeNs first_server_data_ns = kUnknownNs;

  ShortText sni;
  ShortText alpn;          ///< selected; empty when none or encrypted (TLS 1.3)
  ShortText alpn_offered;  ///< comma-separated

  [[nodiscard]] DurationNs hello_ns() const { return elapsed_ns(client_hello_ns, server_hello_ns); }
  /// Both sides' last handshake flight was seen.
  [[nodiscard]] bool complete() const {
    return last_flights_seen || (known(client_finished_ns) && known(server_finished_ns));
  }
  /// ClientHello to the later of the two last flights; unknown when only one side's was seen, or has no time.
  [[nodiscard]] DurationNs handshake_ns() const {
    if (!known(client_finished_ns) || !known(server_finished_ns)) return kUnknownNs;
    return elapsed_ns(client_hello_ns, client_finished_ns > server_finished_ns
                                           ? client_finished_ns
                                           : server_finished_ns);
  }
  auto views() { return std::tie(sni, alpn, alpn_offered); }
};

// ---------------------------------------------------------------------------------- databases

/// What the server says about the transaction (BEGIN, MULTI ...) that the request belongs to.
enum class DatabaseStatus : std::uint8_t { unknown, idle, in_transaction, failed_transaction };
[[nodiscard]] std::string_view name(DatabaseStatus s);

/// One request to a database or cache and all of its response: a Redis command, a memcached
/// command, a PostgreSQL burst up to ReadyForQuery, a MySQL command, or a login.
struct DatabaseTransaction {
  static constexpr std::string_view kKind = "database";
  static constexpr std::uint64_t kUnknownRows = UINT64_MAX;

  ConnectionKey connection = 0;
  Endpoint client;
  Endpoint server;
  ServiceId service = kNoService;
  Protocol protocol = Protocol::unknown;
  DatabaseStatus status = DatabaseStatus::unknown;
  bool response_complete = false;
  bool error = false;            ///< the server refused or failed it
  bool login = false;            ///< startup and authentication
  bool no_reply = false;         ///< answered by silence, as the protocol has it
  bool waits_by_design = false;  ///< blocks until something happens (BLPOP): not server time
  bool pipelined = false;        ///< sent while an earlier request was unanswered
  /// The first one paired again after a hole in the bytes; without a response: which one is its cannot be told.
  bool resynchronised = false;
  bool text_cut = false;              ///< the fingerprint is only the beginning
  bool name_only = false;             ///< a prepared statement whose text was not captured
  std::uint32_t depth = 1;            ///< unanswered requests of the connection, this one included
  std::uint32_t statements = 1;       ///< commands, or executions, that it asks for
  std::uint32_t round_trips = 0;      ///< of a login: messages of the client that had an answer
  std::uint64_t rows = kUnknownRows;  ///< returned or affected
  /// Of protocol and fingerprint; 0 = no fingerprint. `name_only`: of protocol, client and name, since
  /// every connection has names of its own.
  std::uint64_t fingerprint_hash = 0;

  FrameSpan request_frames;
  FrameSpan response_frames;
  TimeNs request_first_ns = kUnknownNs;
  TimeNs request_last_ns = kUnknownNs;
  TimeNs response_first_ns = kUnknownNs;
  TimeNs response_last_ns = kUnknownNs;
  std::uint64_t request_bytes = 0;
  std::uint64_t response_bytes = 0;
  ShortSpan<ExchangeStalls> stalled;  ///< one; none: nothing was measured

  ShortText operation;    ///< "GET", "SELECT", "COM_PING"
  ShortText fingerprint;  ///< the statement without its values (docs/protocols)
  /// `name_only`: what the statement was prepared as; empty: the unnamed one.
  ShortText statement_name;
  ShortText error_code;  ///< SQLSTATE, MySQL's number, Redis' or memcached's word
  ShortText user;        ///< empty when the login was not seen
  ShortText database;

  [[nodiscard]] const ExchangeStalls& stalls() const { return one_of(stalled); }
  /// No response was seen, and one should have been.
  [[nodiscard]] bool unanswered() const {
    return response_frames.first == 0 && !no_reply && !resynchronised;
  }
  [[nodiscard]] DurationNs request_ns() const {
    return elapsed_ns(request_first_ns, request_last_ns);
  }
  /// From the end of the request to the first byte of its response.
  [[nodiscard]] DurationNs server_wait_ns() const {
    return elapsed_ns(request_last_ns, response_first_ns);
  }
  [[nodiscard]] DurationNs transfer_ns() const {
    return elapsed_ns(response_first_ns, response_last_ns);
  }
  [[nodiscard]] DurationNs total_ns() const {
    return elapsed_ns(request_first_ns, response_last_ns);
  }
  auto views() {
    return std::tie(stalled, operation, fingerprint, statement_name, error_code, user, database);
  }
};

// ------------------------------------------------------------------------------ registration

/// Every kind of transaction: the one line to extend when a protocol is added. The order is the
/// record type number in the transaction ring.
using TransactionKinds =
    std::tuple<Connection, DnsTransaction, HttpTransaction, TlsHandshake, DatabaseTransaction>;

template <class Kinds>
struct TransactionRefOf;
template <class... T>
struct TransactionRefOf<std::tuple<T...>> {
  static_assert((std::is_trivially_copyable_v<T> && ...));
  using type = std::variant<const T*...>;
};
/// A reference to one transaction of any kind; never null.
using TransactionRef = TransactionRefOf<TransactionKinds>::type;

/// Where trackers put what they have finished. Called on the worker's thread.
class TransactionSink {
 public:
  virtual ~TransactionSink() = default;
  virtual void emit(TransactionRef transaction) = 0;
};

}  // namespace wirelag
