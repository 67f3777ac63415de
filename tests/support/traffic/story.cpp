#include "story.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace wirelag::traffic {
namespace {

constexpr std::uint32_t kClients = 20'000;
constexpr std::uint32_t kServers = 2'000;
constexpr DurationNs kResolverRetryNs = 5 * kSecondNs;  ///< resolv.conf(5), option timeout
constexpr unsigned kResolverTries = 2;                  ///< option attempts
constexpr std::uint16_t kTypeA = 1, kTypeAaaa = 28;

constexpr std::string_view kRequest =
    "GET {} HTTP/1.1\r\nHost: {}\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101\r\n"
    "Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\n"
    "Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nServer: shop\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
    "Content-Type: image/png\r\nContent-Length: {}\r\nConnection: keep-alive\r\n\r\n";

/// 10.x.x.x or 2001:db8:<net>::x for clients (net 1), servers (2) and resolvers (3).
[[nodiscard]] IpAddress address(bool v6, std::uint8_t net, std::uint32_t host) {
  std::uint8_t b[16] = {0x20, 0x01, 0x0d, 0xb8, 0, net};
  b[12] = v6 ? 0 : static_cast<std::uint8_t>(net == 1 ? 10 : net == 2 ? 198 : 172);
  b[13] = static_cast<std::uint8_t>((net == 2 ? 18 : net == 3 ? 16 : 0) + (host >> 16));
  b[14] = static_cast<std::uint8_t>(host >> 8), b[15] = static_cast<std::uint8_t>(host);
  return v6 ? IpAddress::v6(b) : IpAddress::v4(b + 12);
}

[[nodiscard]] Octets octets_of(const IpAddress& ip) {
  return ip.is_v4() ? Octets(ip.bytes.begin() + 12, ip.bytes.end())
                    : Octets(ip.bytes.begin(), ip.bytes.end());
}

}  // namespace

void Story::write(const MixOptions& options, std::uint32_t number, TimeNs start_ns, TcpModel& model,
                  TruthSink* truth) {
  options_ = &options;
  number_ = number;
  random_ = Random(options.seed, number);
  sockets_.clear(), messages_.clear(), exchanges_.clear(), sightings_.clear();
  content_[0].clear(), content_[1].clear();
  hellos_[0] = hellos_[1] = {};
  next_ = 0;

  // A few servers get most of the visits.
  const double popularity = random_.unit();
  server_ = static_cast<std::uint32_t>(kServers * popularity * popularity * popularity);
  application_ = std::array{Application::tls13, Application::tls13, Application::tls12,
                            Application::http1, Application::redis}[server_ % 5];
  v6_ = random_.chance(options.ipv6);
  name_ = fmt::format("www.shop-{}.example", server_);
  client_.ip = address(v6_, 1, number % kClients);
  client_.port = static_cast<std::uint16_t>(10'000 + number / kClients);
  server_endpoint_.ip = address(v6_, 2, server_);
  server_endpoint_.port = application_ == Application::http1   ? 80
                          : application_ == Application::redis ? 6379
                                                               : 443;
  resolver_ = {address(v6_, 3, static_cast<std::uint32_t>(random_.below(4))), 53};

  TimeNs ready_ns = look_up(kTypeA, start_ns, truth);
  if (v6_ || random_.chance(0.2)) {
    const TimeNs six_ns = look_up(kTypeAaaa, start_ns + 60 * kMicrosecondNs, truth);
    if (v6_) ready_ns = six_ns;
  }
  if (known(ready_ns)) connect(ready_ns + 200 * kMicrosecondNs, model, truth);
  // Both are in order of time already, direction by direction.
  std::stable_sort(sightings_.begin(), sightings_.end(),
                   [](const Sighting& a, const Sighting& b) { return a.time_ns < b.time_ns; });
}

Bytes Story::next(FrameBytes& frame) {
  const Sighting& s = sightings_[next_++];
  if (s.flow != 0) {
    const Octets& message = messages_[s.seq];
    const Endpoint& client = sockets_[s.flow - 1U].client;
    const bool query = s.sender == kClient;
    return frame.udp(query ? client : resolver_, query ? resolver_ : client, message.size(),
                     [&](std::span<std::uint8_t> out) {
                       std::copy(message.begin(), message.end(), out.begin());
                     });
  }
  TcpSegment t;
  t.seq = s.seq, t.ack = s.ack, t.flags = s.flags;
  t.window = (s.flags & kRst) != 0 ? 0 : 65535;
  t.timestamps = timestamps_ && (s.flags & kRst) == 0;
  t.tsval = s.tsval, t.tsecr = s.tsecr;
  t.sack = s.sack_begin != s.sack_end;
  t.sack_begin = s.sack_begin, t.sack_end = s.sack_end;
  if ((s.flags & kSyn) != 0) t.mss = v6_ ? 1440 : 1460, t.window_scale = 7, t.sack_permitted = true;
  const bool up = s.sender == kClient;
  return frame.tcp(up ? client_ : server_endpoint_, up ? server_endpoint_ : client_, t, s.length,
                   [&](std::span<std::uint8_t> out) {
                     if (out.empty()) return;
                     content_[s.sender].copy(s.seq - isn_[s.sender] - 1, out);
                   });
}

// ------------------------------------------------------------------------------------------- DNS

/// Returns when the answer reaches the client, unknown when it never does.
TimeNs Story::look_up(std::uint16_t qtype, TimeNs start_ns, TruthSink* truth) {
  const auto flow = static_cast<std::uint8_t>(sockets_.size() + 1);
  DnsSocket socket;
  socket.client = {client_.ip, static_cast<std::uint16_t>(30'000 + number_ / kClients * 2 + flow)};
  socket.id = static_cast<std::uint16_t>(random_.next32());
  socket.qtype = qtype;
  sockets_.push_back(socket);
  const auto query = static_cast<std::uint32_t>(messages_.size());
  messages_.push_back(dns_query(socket.id, name_, qtype));
  std::vector<Octets> addresses;
  if (qtype == kTypeA || v6_)
    addresses.push_back(octets_of(address(qtype == kTypeAaaa, 2, server_)));
  messages_.push_back(dns_response(socket.id, name_, qtype, addresses));

  DnsTruth told;
  told.client = socket.client, told.resolver = resolver_, told.qname = name_;
  told.qtype = qtype, told.id = socket.id;
  const auto pass = [&](TimeNs time_ns, std::uint8_t sender, std::uint32_t message) {
    Sighting s;
    s.time_ns = time_ns, s.flow = flow, s.sender = sender, s.seq = message;
    sightings_.push_back(s);
  };
  const DurationNs to_probe_ns = 50 * kMicrosecondNs;
  TimeNs answered_ns = kUnknownNs;
  for (unsigned n = 0; n < kResolverTries && !known(answered_ns); ++n) {
    const TimeNs asked_ns = start_ns + n * kResolverRetryNs + to_probe_ns;
    const double loss = options_->loss / 2;
    if (random_.chance(loss)) continue;
    pass(asked_ns, kClient, query);
    if (!known(told.first_query_ns)) told.first_query_ns = asked_ns;
    told.last_query_ns = asked_ns;
    ++told.queries;
    if (random_.chance(loss) || random_.chance(loss)) continue;
    const auto latency = static_cast<DurationNs>(random_.lognormal(8e6, 1.0));
    const TimeNs response_ns = asked_ns + std::min(latency, 4 * kSecondNs);
    pass(response_ns, kServer, query + 1);
    told.response_ns = response_ns;
    if (random_.chance(loss)) break;  // the probe has seen the answer, the client never gets it
    answered_ns = response_ns + to_probe_ns;
  }
  if (truth != nullptr && told.queries > 0) truth->on_dns(told);
  return answered_ns;
}

// ------------------------------------------------------------------------------------ connection

void Story::connect(TimeNs start_ns, TcpModel& model, TruthSink* truth) {
  TcpScript script;
  fill(script);
  const std::size_t first = sightings_.size();
  model.play(script, start_ns, random_, sightings_);
  std::sort(sightings_.begin() + static_cast<std::ptrdiff_t>(first), sightings_.end(),
            [](const Sighting& a, const Sighting& b) {
              return a.time_ns != b.time_ns ? a.time_ns < b.time_ns : a.sender < b.sender;
            });
  if (truth != nullptr && first < sightings_.size()) tell_truth(*truth, first, script.timestamps);
}

void Story::fill(TcpScript& script) {
  script.client_delay_ns = static_cast<DurationNs>(random_.lognormal(0.5e6, 1.0));
  script.server_delay_ns = static_cast<DurationNs>(random_.lognormal(12e6, 0.7));
  script.bits_per_s = random_.chance(0.5) ? 100'000'000 : 1'000'000'000;
  script.loss = options_->loss * (random_.chance(options_->lossy) ? 10 : 1);
  script.reorder = options_->reorder;
  script.timestamps = timestamps_ = random_.chance(0.9);
  for (const std::uint8_t side : {kClient, kServer}) {
    script.isn[side] = isn_[side] = random_.next32();
    script.ts_base[side] = random_.next32();
  }
  const double fate = random_.unit();
  if (fate < 0.01) script.opening = Opening::refused;
  if (fate >= 0.01 && fate < 0.015) script.opening = Opening::silent;
  const double end = random_.unit();
  script.ending = end < 0.6    ? Ending::fin_client
                  : end < 0.95 ? Ending::fin_server
                  : end < 0.98 ? Ending::rst_client
                               : Ending::rst_server;
  script.linger_ns = random_.exponential(options_->life_ns);
  switch (application_) {
    case Application::http1: http1(script); break;
    case Application::redis: redis(script); break;
    case Application::tls12: tls(script, false); break;
    case Application::tls13: tls(script, true); break;
  }
}

std::uint32_t Story::object_bytes() {
  return static_cast<std::uint32_t>(std::min(200.0 + random_.lognormal(2'500, 1.4), 2e6));
}

DurationNs Story::think_ns() { return static_cast<DurationNs>(random_.lognormal(15e6, 1.0)); }

/// What has been added to the sender's content since its last step.
void Story::say(TcpScript& script, std::uint8_t sender, std::uint32_t from, DurationNs wait_ns) {
  script.steps.push_back({sender, content_[sender].size() - from, wait_ns});
}

void Story::http1(TcpScript& script) {
  const auto requests = 1 + static_cast<unsigned>(random_.exponential(3));
  for (unsigned n = 0; n < requests; ++n) {
    Exchange e;
    e.target = fmt::format("/object/{}/{}", number_, n);
    e.request.sender = kClient, e.response.sender = kServer;
    e.request.begin = content_[kClient].size();
    content_[kClient].literal(fmt::format(kRequest, e.target, name_));
    e.request.end = content_[kClient].size();
    say(script, kClient, e.request.begin,
        n == 0 ? 100 * kMicrosecondNs : random_.exponential(200 * kMillisecondNs));
    const std::uint32_t body = object_bytes();
    e.response.begin = content_[kServer].size();
    content_[kServer].literal(fmt::format(kResponse, body));
    content_[kServer].filler(body);
    e.response.end = content_[kServer].size();
    say(script, kServer, e.response.begin, think_ns());
    exchanges_.push_back(std::move(e));
  }
}

void Story::redis(TcpScript& script) {
  const auto commands = 1 + static_cast<unsigned>(random_.exponential(6));
  for (unsigned n = 0; n < commands; ++n) {
    const std::string key = fmt::format("cart:{}", random_.below(1'000'000));
    const std::uint32_t asked = content_[kClient].size(), told = content_[kServer].size();
    content_[kClient].literal(fmt::format("*2\r\n$3\r\nGET\r\n${}\r\n{}\r\n", key.size(), key));
    say(script, kClient, asked,
        n == 0 ? 50 * kMicrosecondNs : random_.exponential(20 * kMillisecondNs));
    const auto bytes =
        static_cast<std::uint32_t>(std::min(20.0 + random_.lognormal(150, 1.2), 1e5));
    content_[kServer].literal(fmt::format("${}\r\n{:v>{}}\r\n", bytes, "", bytes));
    say(script, kServer, told, static_cast<DurationNs>(random_.lognormal(0.2e6, 0.5)));
  }
}

void Story::tls(TcpScript& script, bool tls13) {
  Content& up = content_[kClient];
  Content& down = content_[kServer];
  hellos_[kClient] = {.sender = kClient};
  up.literal(tls_client_hello(name_, tls13, random_));
  hellos_[kClient].end = up.size();
  say(script, kClient, 0, 100 * kMicrosecondNs);

  hellos_[kServer] = {.sender = kServer};
  down.literal(tls_server_hello(tls13, random_));
  hellos_[kServer].end = down.size();
  const auto certificate = static_cast<std::uint32_t>(random_.between(2'000, 4'000));
  static constexpr std::string_view kChangeCipher("\x14\x03\x03\x00\x01\x01", 6);
  if (tls13) {
    down.literal(kChangeCipher);
    down.tls_records(23, certificate + 400);
  } else {
    down.literal(tls12_server_flight(certificate, random_));
  }
  say(script, kServer, 0, 2 * kMillisecondNs + think_ns() / 8);

  std::uint32_t from = up.size();
  if (!tls13) {
    const Octets key_exchange = {22, 3, 3, 0, 37, 16, 0, 0, 33, 32};
    up.literal(key_exchange);
    up.filler(32);
    up.literal(kChangeCipher);
    up.tls_records(22, 40);
    say(script, kClient, from, kMillisecondNs);
    from = down.size();
    down.literal(kChangeCipher);
    down.tls_records(22, 40);
    say(script, kServer, from, kMillisecondNs / 2);
    from = up.size();
  } else {
    up.literal(kChangeCipher);
    up.tls_records(23, 53);
  }
  const auto requests = 1 + static_cast<unsigned>(random_.exponential(2));
  for (unsigned n = 0; n < requests; ++n) {
    up.tls_records(23, static_cast<std::uint32_t>(random_.between(200, 900)));
    say(script, kClient, from, n == 0 ? kMillisecondNs : random_.exponential(200 * kMillisecondNs));
    const std::uint32_t told = down.size();
    down.tls_records(23, object_bytes());
    say(script, kServer, told, think_ns());
    from = up.size();
  }
}

void Story::tell_truth(TruthSink& truth, std::size_t first, bool timestamps) {
  std::vector<MessageTruth*> messages;
  for (Exchange& e : exchanges_) messages.insert(messages.end(), {&e.request, &e.response});
  const bool secure = application_ == Application::tls12 || application_ == Application::tls13;
  if (secure) messages.insert(messages.end(), {&hellos_[0], &hellos_[1]});
  TcpTruth t;
  t.client = client_, t.server = server_endpoint_;
  judge({sightings_.data() + first, sightings_.size() - first}, isn_, timestamps, t, messages);
  truth.on_tcp(t);
  for (const Exchange& e : exchanges_) {
    if (known(e.request.first_ns)) {
      truth.on_http({client_, server_endpoint_, e.target, e.request, e.response});
    }
  }
  if (secure && known(hellos_[0].first_ns)) {
    truth.on_tls({client_, server_endpoint_, name_,
                  static_cast<std::uint16_t>(application_ == Application::tls13 ? 0x0304 : 0x0303),
                  hellos_[0], hellos_[1]});
  }
}

}  // namespace wirelag::traffic
