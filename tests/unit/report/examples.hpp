// Hand-made data for the tests of the report: the facts of the origin capture, and the pieces they
// are made of. Times are microseconds or nanoseconds after kStart.
#pragma once

#include <string>
#include <vector>

#include <wirelag/report/report.hpp>

#include "../../support/kept.hpp"

namespace wirelag::examples {

inline constexpr TimeNs kStart = 1'523'420'000 * kSecondNs;

inline Endpoint at(const char* ip, std::uint16_t port) {
  Endpoint e;
  (void)parse_ip(ip, e.ip);
  e.port = port;
  return e;
}

inline std::vector<std::uint8_t> from_hex(std::string_view hex) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

/// The answer all resolvers gave: two CNAMEs and an address, without the id before it.
inline constexpr std::string_view kMirrorAnswer =
    "81800001000300000000066d6972726f7205617a75726502636e0000010001c00c00050001000002580018066d6972"
    "726f"
    "720e747261666669636d616e61676572c019c02d000500010000001e001b0a656173746d6972726f720d6368696e61"
    "636c"
    "6f7564617070c019c051000100010000000a00048bd9923e";

struct Moment {
  FrameNumber frame = 0;
  DurationNs after_ns = 0;
  [[nodiscard]] TimeNs time() const { return kStart + after_ns; }
};

inline HandshakeSegment segment(Moment when, Direction direction, std::uint8_t flags,
                                std::uint32_t seq, std::uint32_t ack, std::uint16_t window) {
  HandshakeSegment s;
  s.time_ns = when.time();
  s.frame = when.frame;
  s.direction = direction;
  s.flags = flags;
  s.seq = seq;
  s.ack = ack;
  s.window = window;
  if (flags & tcp_flag::syn) {
    s.options.mss = direction == Direction::c2s ? 1460 : 1440;
    s.options.window_scale = 7;
    s.options.sack_permitted = true;
  }
  return s;
}

/// A connection that ended as SYN, SYN-ACK, ACK at the moments given, nothing sent yet.
inline Connection opened(ConnectionKey key, const Endpoint& client, const Endpoint& server,
                         Moment syn, Moment syn_ack, Moment ack) {
  using namespace tcp_flag;
  Connection c;
  c.key = key;
  c.client = client;
  c.server = server;
  c.state = ConnectionState::complete;
  c.basis = ClientBasis::syn;
  c.first_frame = syn.frame;
  c.last_frame = c.ack_frame = ack.frame;
  test::push(c.syn_frames, syn.frame);
  test::push(c.syn_ack_frames, syn_ack.frame);
  c.start_time_ns = syn.time();
  c.last_time_ns = c.established_time_ns = ack.time();
  c.syn_wait_ns = c.synack_wait_ns = 0;
  c.rtt_probe_server_ns = syn_ack.after_ns - syn.after_ns;
  c.rtt_probe_client_ns = ack.after_ns - syn_ack.after_ns;
  c.handshake_rtt_ns = c.connect_time_ns = ack.after_ns - syn.after_ns;
  c.half.c2s.packets = 2;
  c.half.s2c.packets = 1;
  test::push(c.segments, segment(syn, Direction::c2s, tcp_flag::syn, 1000, 0, 29200));
  test::push(c.segments,
             segment(syn_ack, Direction::s2c, tcp_flag::syn | tcp_flag::ack, 5000, 1001, 28960));
  test::push(c.segments, segment(ack, Direction::c2s, tcp_flag::ack, 1001, 5001, 229));
  ConnectionOpening opening;
  opening.options = {c.segments[0].options, c.segments[1].options};
  opening.window = {29200, 28960};
  test::push(c.opened, opening);
  return c;
}

/// SYNs at the moments given, no answer.
inline Connection unanswered(ConnectionKey key, const Endpoint& client, const Endpoint& server,
                             const std::vector<Moment>& syns) {
  Connection c;
  c.key = key;
  c.client = client;
  c.server = server;
  c.state = ConnectionState::syn_unanswered;
  c.basis = ClientBasis::syn;
  c.one_sided = true;
  c.first_frame = syns.front().frame;
  c.last_frame = syns.back().frame;
  c.start_time_ns = syns.front().time();
  c.last_time_ns = syns.back().time();
  c.half.c2s.packets = syns.size();
  for (const Moment& m : syns) {
    test::push(c.syn_frames, m.frame);
    test::push(c.segments, segment(m, Direction::c2s, tcp_flag::syn, 1000, 0, 29200));
  }
  ConnectionOpening opening;
  opening.options.c2s = c.segments[0].options;
  test::push(c.opened, opening);
  return c;
}

struct Request {
  ConnectionKey connection;
  Endpoint client;
  std::string_view target;
  Moment sent;
  FrameSpan response;  ///< {0,0} = none
  DurationNs server_wait_ns = 0;
  DurationNs transfer_ns = 0;
  std::uint64_t size = 0;
};

inline HttpTransaction http(const Request& r) {
  HttpTransaction t;
  t.connection = r.connection;
  t.client = r.client;
  t.server = at("139.217.146.62", 80);
  t.method = "GET";
  t.host = "mirror.azure.cn";
  t.target = r.target;
  t.request_seen = t.request_complete = true;
  t.request_frames = {r.sent.frame, r.sent.frame};
  t.request_first_ns = t.request_last_ns = r.sent.time();
  t.request_bytes = 430;
  if (r.response.first == 0) return t;
  t.status = 200;
  t.response_complete = true;
  t.response_frames = r.response;
  t.response_first_ns = t.request_last_ns + r.server_wait_ns;
  t.response_last_ns = t.response_first_ns + r.transfer_ns;
  t.response_bytes = r.size;
  return t;
}

/// A query for mirror.azure.cn A and its answer.
inline DnsTransaction dns(const Endpoint& client, const char* resolver, std::uint16_t id,
                          Moment query, Moment response, const std::vector<std::uint8_t>& message) {
  DnsTransaction t;
  t.client = client;
  t.resolver = at(resolver, 53);
  t.id = id;
  t.qtype = t.qclass = 1;
  t.outcome = DnsOutcome::answered;
  t.answer_count = 3;
  test::push(t.query_frames, query.frame);
  t.response_frame = response.frame;
  t.first_query_ns = t.last_query_ns = query.time();
  t.response_ns = response.time();
  t.qname = "mirror.azure.cn";
  t.response = Bytes(message);
  return t;
}

inline void emit_origin_dns(Dataset& data) {
  const auto answer = from_hex("799c" + std::string(kMirrorAnswer));
  const Endpoint app = at("127.0.0.1", 41712);
  const Endpoint stub = at("10.11.29.131", 15353);
  for (const DnsTransaction& t : {
           dns(app, "127.0.1.1", 0x3eae, {1, 0}, {7, 3748760}, answer),
           dns(stub, "210.22.70.3", 0x799c, {2, 193171}, {6, 3673107}, answer),
           dns(stub, "210.22.84.3", 0x799c, {3, 214658}, {5, 3621049}, answer),
           dns(stub, "114.114.114.114", 0x799c, {4, 237609}, {25, 26855458}, answer),
       }) {
    data.emit(&t);
  }
}

inline void emit_origin_tcp(Dataset& data) {
  const char* client = "10.11.29.131";
  const Endpoint server = at("139.217.146.62", 80);
  Connection a = opened(1, at(client, 60686), server, {8, 4007447}, {9, 10020167}, {10, 10069075});
  a.protocol = Protocol::http1;
  a.last_frame = 108;
  a.last_time_ns = kStart + 98709355;
  a.half.c2s.packets = 35;
  a.half.c2s.payload_bytes = 2105;
  a.half.s2c.packets = 53;
  a.half.s2c.payload_bytes = 148850;
  Connection b =
      opened(2, at(client, 60690), server, {27, 34843260}, {37, 42309250}, {38, 42337212});
  b.protocol = Protocol::http1;
  b.last_frame = 109;
  b.half.c2s.payload_bytes = 834;
  Connection d =
      opened(4, at(client, 60694), server, {98, 95078214}, {110, 101642481}, {111, 101680113});
  d.protocol = Protocol::http1;
  d.last_frame = 114;
  d.half.c2s.payload_bytes = 417;
  // Emitted out of order on purpose: seal() has to number them by first frame.
  for (const Connection& c :
       {opened(5, at(client, 60696), server, {99, 95621726}, {115, 102156541}, {116, 102178580}), d,
        opened(3, at(client, 60692), server, {97, 94614156}, {112, 101685351}, {113, 101699575}), b,
        a}) {
    data.emit(&c);
  }
}

inline void emit_origin_http(Dataset& data) {
  const Endpoint c1 = at("10.11.29.131", 60686);
  const Endpoint c2 = at("10.11.29.131", 60690);
  const Endpoint c4 = at("10.11.29.131", 60694);
  for (const Request& r : {
           Request{1, c1, "/", {11, 10420000}, {13, 22}, 6790000, 640000, 9473},
           Request{1, c1, "/css/style.css", {26, 34610000}, {28, 34}, 6108016, 304196, 8287},
           Request{
               1, c1, "/icons/kaiyuanshe.png", {36, 41734621}, {39, 94}, 6165379, 12180000, 130627},
           Request{2, c2, "/icons/logo.png", {95, 90000000}, {104, 106}, 7288194, 168791, 649},
           Request{1, c1, "/icons/search.png", {96, 90310000}, {100, 101}, 6180989, 149108, 463},
           Request{1, c1, "/icons/mirror-setting-tips.png", {108, 98709355}, {}},
           Request{2, c2, "/icons/quick-link.png", {109, 98859672}, {}},
           Request{4, c4, "/icons/contact.png", {114, 101883557}, {}},
       }) {
    const HttpTransaction t = http(r);
    data.emit(&t);
  }
}

inline CaptureBlock origin_capture() {
  CaptureBlock capture;
  capture.name = "mirror-azure-cn.pcapng";
  capture.format = "pcapng";
  capture.link_types = {"linux_sll"};
  capture.packets = 116;
  capture.first_time_ns = kStart;
  capture.last_time_ns = kStart + 102178580;
  return capture;
}

inline Dataset origin_data() {
  Dataset data;
  emit_origin_dns(data);
  emit_origin_tcp(data);
  emit_origin_http(data);
  return data;
}

/// A report over `data` as the control core makes it, without the rules' advice.
inline Report report_of(Dataset data, CaptureBlock capture = origin_capture()) {
  data.seal({}, capture.last_time_ns);
  Report r;
  r.capture = std::move(capture);
  for (std::uint64_t i = 0; i < r.capture.packets; ++i) r.accounting.count(NotAnalysed::none);
  r.correlation = correlate(data);
  r.data = std::move(data);
  r.service_names = {""};
  return r;
}

inline Report origin_report() { return report_of(origin_data()); }

}  // namespace wirelag::examples
