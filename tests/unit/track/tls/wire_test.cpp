// The same handshakes as the wire may bring them: in pieces, cut short, with holes, damaged,
// hostile, and more of them than there is room for.

#include <random>

#include <gtest/gtest.h>

#include "conversations.hpp"

namespace wirelag::tls_test {
namespace {

const std::vector<Conversation>& all_conversations() {
  static const std::vector<Conversation> all = {tls12_full(),  tls12_resumed(),    tls13_full(),
                                                tls13_retry(), tls13_early_data(), tls12_refused()};
  return all;
}

void expect_same(const Told& a, const Told& b) {
  const TlsHandshake &x = a.handshake, &y = b.handshake;
  EXPECT_EQ(a.sni, b.sni);
  EXPECT_EQ(a.alpn, b.alpn);
  EXPECT_EQ(a.alpn_offered, b.alpn_offered);
  EXPECT_EQ(x.version, y.version);
  EXPECT_EQ(x.cipher, y.cipher);
  EXPECT_EQ(x.resumed, y.resumed);
  EXPECT_EQ(x.certificate_bytes, y.certificate_bytes);
  EXPECT_EQ(x.client_hello_frames.last, y.client_hello_frames.last);
  EXPECT_EQ(x.server_hello_frames.last, y.server_hello_frames.last);
  EXPECT_EQ(x.hello_retry, y.hello_retry);
  EXPECT_EQ(x.hello_retry_frame, y.hello_retry_frame);
  EXPECT_EQ(x.client_finished_ns, y.client_finished_ns);
  EXPECT_EQ(x.server_finished_ns, y.server_finished_ns);
  EXPECT_EQ(x.first_client_data_ns, y.first_client_data_ns);
  EXPECT_EQ(x.first_server_data_ns, y.first_server_data_ns);
  EXPECT_EQ(x.early_data_accepted, y.early_data_accepted);
  EXPECT_EQ(x.round_trips, y.round_trips);
  EXPECT_EQ(x.alert_frame, y.alert_frame);
  EXPECT_EQ(x.alert, y.alert);
}

/// The handshake records' payload of `flight`, in records of `size` bytes.
std::string in_records_of(std::size_t size, const std::string& messages) {
  std::string out;
  for (std::size_t at = 0; at < messages.size(); at += size)
    out += record(22, messages.substr(at, size));
  return out;
}

TEST(Wire, PiecesOfAnySizeTellTheSame) {
  Bench bench;
  for (const auto& conversation : all_conversations()) {
    const Told whole = conversation.one();
    for (std::size_t piece = 1; piece < 400; ++piece) {
      const auto told = conversation.told(bench, piece);
      ASSERT_EQ(told.size(), 1U) << piece;
      expect_same(told[0], whole);
    }
  }
  EXPECT_EQ(bench.counters.of(Counter::tls_hello_buffers_full), 0U);
}

TEST(Wire, MessagesOverRecordsOfAnySizeTellTheSame) {
  for (std::size_t size = 1; size < 300; ++size) {
    const Told t =
        Conversation()
            .client(in_records_of(size, client_hello({.sni = "www.example.com"})))
            .server(in_records_of(size, server_hello({}) + certificate() + message(14, "")))
            .client(record(22, message(16, "x")) + change_cipher_spec() + finished())
            .server(change_cipher_spec() + finished())
            .one();
    ASSERT_EQ(t.sni, "www.example.com") << size;
    ASSERT_EQ(t.handshake.certificate_bytes, 3000U) << size;
    ASSERT_EQ(t.handshake.hello_ns(), ms(1)) << size;
    ASSERT_EQ(t.handshake.server_finished_ns, ms(4)) << size;
  }
}

TEST(Wire, CutShortAtEveryByteTellsNothingThatWasNotSeen) {
  Bench bench;
  for (const auto& conversation : all_conversations()) {
    const Told whole = conversation.one();
    for (std::size_t most = 0; most < conversation.size(); ++most) {
      const auto told = conversation.told(bench, SIZE_MAX, most);
      if (told.empty()) continue;
      const TlsHandshake &part = told[0].handshake, &full = whole.handshake;
      ASSERT_EQ(told.size(), 1U);
      ASSERT_EQ(part.client_hello_ns, full.client_hello_ns);
      ASSERT_EQ(told[0].sni, whole.sni);
      for (const auto time :
           {&TlsHandshake::server_hello_ns, &TlsHandshake::client_finished_ns,
            &TlsHandshake::server_finished_ns, &TlsHandshake::first_client_data_ns,
            &TlsHandshake::first_server_data_ns})
        ASSERT_TRUE(!known(part.*time) || part.*time == full.*time) << most;
    }
  }
  EXPECT_EQ(bench.counters.of(Counter::tls_malformed), 0U);
}

TEST(Wire, NothingIsToldBeforeTheClientHelloIsComplete) {
  Bench bench;
  const std::string hello = record(22, client_hello({.sni = "a.example"}));
  const auto conversation = Conversation().client(hello);
  for (std::size_t most = 0; most < hello.size(); ++most)
    EXPECT_TRUE(conversation.told(bench, SIZE_MAX, most).empty()) << most;
  EXPECT_EQ(conversation.told(bench).size(), 1U);
}

TEST(Wire, DamageAnywhereIsSurvived) {
  Bench bench;
  for (const auto& conversation : all_conversations()) {
    for (std::size_t at = 0; at < conversation.size(); ++at) {
      for (const std::uint8_t bits : {0x01, 0x80, 0xff}) {
        Conversation damaged = conversation;
        damaged.damage(at, bits);
        (void)damaged.told(bench);
        (void)damaged.told(bench, 7);
      }
    }
  }
  // every buffer and place was given back
  expect_same(tls12_full().told(bench, 5).at(0), tls12_full().one());
}

TEST(Wire, RandomBytesAreSurvived) {
  std::mt19937 random(1);
  Bench bench;
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random() % 300, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::string framed = record(22, message(random() % 2 ? 1 : 2, bytes));
    (void)Conversation().client(framed).server(bytes).told(bench, 1 + random() % 50);
    (void)Conversation().client(framed + bytes).told(bench);
  }
  EXPECT_GT(bench.counters.of(Counter::tls_malformed), 0U);
}

TEST(Wire, HostileLengthsInsideAHello) {
  const auto hello_of = [](const std::string& extensions) {
    return message(1, u16(0x0303) + std::string(32, 'r') + with8("") + with16(u16(5)) +
                          with8(u8(0)) + extensions);
  };
  for (const std::string& extensions :
       {with16(extension(0, u16(0xffff) + u8(0) + u16(0xffff) + "a")),  // longer than it is
        u16(0xffff) + extension(0, with16(u8(0) + with16("a.example"))),
        with16(u16(0) + u16(0xffff) + "a.example"), with16(extension(0, "")),  // empty
        with16(extension(16, with16(u8(200) + "h2"))), with16(extension(16, with16(u8(0)))),
        with16(extension(43, u8(255) + u16(0x0304)))}) {
    const Told t = Conversation().client(record(22, hello_of(extensions))).one();
    EXPECT_EQ(t.handshake.client_hello_frames.last, 1U);
    EXPECT_EQ(t.sni, "");
    EXPECT_EQ(t.alpn_offered, "");
    EXPECT_EQ(t.handshake.client_version, 0x0303);
  }
}

TEST(Wire, MidstreamAndAlertsAloneTellNothing) {
  Bench bench;
  EXPECT_TRUE(Conversation().client(data()).server(data()).told(bench).empty());
  EXPECT_TRUE(Conversation().client(record(21, u8(2) + u8(40))).told(bench).empty());
  EXPECT_TRUE(Conversation().server(change_cipher_spec() + finished()).told(bench).empty());
  EXPECT_TRUE(Conversation().told(bench).empty());
  EXPECT_EQ(bench.counters.of(Counter::tls_malformed), 0U);
}

TEST(Wire, ServerHelloAloneIsTold) {
  const Told t = Conversation().server(record(22, server_hello({.alpn = "h2"}))).one();
  EXPECT_EQ(t.handshake.server_hello_frames.last, 1U);
  EXPECT_EQ(t.handshake.client_hello_frames.last, 0U);
  EXPECT_FALSE(known(t.handshake.hello_ns()));
  EXPECT_EQ(t.alpn, "h2");
  EXPECT_EQ(t.handshake.client.port, 40000);
}

TEST(Wire, WhatIsNotTlsIsGivenUpOnce) {
  Bench bench;
  const auto all = Conversation()
                       .client(record(22, client_hello({.sni = "a.example"})))
                       .server("HTTP/1.1 400 Bad Request\r\n\r\n")
                       .server("more of it")
                       .told(bench);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].sni, "a.example");
  EXPECT_EQ(bench.counters.of(Counter::tls_malformed), 1U);
}

TEST(Wire, HoleInTheCertificateCostsNothingElse) {
  // GIVEN a certificate of which 1000 bytes were not captured
  const std::string flight = record(22, server_hello({}) + certificate() + message(14, ""));
  const Told t = Conversation()
                     .client(record(22, client_hello({})))
                     .server(flight.substr(0, 500))
                     .lost(Direction::s2c, 1000)
                     .server(flight.substr(1500))
                     .client(record(22, message(16, "x")) + change_cipher_spec() + finished())
                     .server(change_cipher_spec() + finished())
                     .client(data())
                     .server(data())
                     .one();
  EXPECT_EQ(t.handshake.server_hello_frames.last, 3U);
  EXPECT_EQ(t.handshake.certificate_bytes, 3000U);
  EXPECT_EQ(t.handshake.resumed, TriState::no);
  EXPECT_EQ(t.handshake.server_finished_ns, ms(5));
  EXPECT_EQ(t.handshake.first_server_data_ns, ms(7));
}

TEST(Wire, HoleInAHelloLeavesItUnseen) {
  const std::string hello = record(22, client_hello({.sni = "a.example"}));
  const Told t = Conversation()
                     .client(hello.substr(0, 60))
                     .lost(Direction::c2s, 10)
                     .client(hello.substr(70))
                     .server(record(22, server_hello({})) + change_cipher_spec() + finished())
                     .client(change_cipher_spec() + finished() + data())
                     .server(data())
                     .one();
  EXPECT_EQ(t.handshake.client_hello_frames.last, 0U);
  EXPECT_EQ(t.sni, "");
  EXPECT_EQ(t.handshake.version, 0x0303);
  EXPECT_EQ(t.handshake.resumed, TriState::yes);
  EXPECT_EQ(t.handshake.client_finished_ns, ms(4));
  EXPECT_EQ(t.handshake.first_server_data_ns, ms(5));
}

TEST(Wire, AfterAHoleRecordsAreFoundAgainAtASegmentThatBeginsWithOne) {
  // GIVEN the end of the server's flight and its Finished are lost
  Bench bench;
  const auto all =
      Conversation()
          .client(record(22, client_hello({})))
          .server(record(22, server_hello({})) + u8(22))
          .lost(Direction::s2c, 5000)
          .server("the middle of something, no record header at its start")
          .server(data())
          .client(record(22, message(16, "x")) + change_cipher_spec() + finished() + data())
          .told(bench);
  ASSERT_EQ(all.size(), 1U);
  const TlsHandshake& t = all[0].handshake;
  EXPECT_EQ(t.server_hello_frames.last, 2U);
  EXPECT_FALSE(known(t.server_finished_ns));
  EXPECT_EQ(t.resumed, TriState::unknown);
  EXPECT_FALSE(known(t.first_server_data_ns));  // some may lie in the hole
  EXPECT_EQ(t.first_client_data_ns, ms(5));
  EXPECT_EQ(bench.counters.of(Counter::tls_malformed), 0U);
}

TEST(Wire, HelloAfterAHoleIsFound) {
  const Told t = Conversation()
                     .lost(Direction::c2s, 100)
                     .client(record(22, client_hello({.sni = "a.example"})))
                     .lost(Direction::s2c, 100)
                     .server(record(22, server_hello({})))
                     .one();
  EXPECT_EQ(t.sni, "a.example");
  EXPECT_EQ(t.handshake.hello_ns(), ms(1));  // of TLS 1.2: there was no other
  EXPECT_EQ(t.handshake.hello_retry, TriState::no);
}

/// Both holes may have held a hello and the request for another.
Conversation hellos_behind_holes(const ClientHelloFields& hello, std::uint16_t record_version) {
  return Conversation()
      .lost(Direction::c2s, 300)
      .client(record(22, client_hello(hello), record_version))
      .lost(Direction::s2c, 100)
      .server(record(22, server_hello({.supported_version = 0x0304})));
}

TEST(Wire, AHelloRetryRequestMayLieInAHole) {
  const ClientHelloFields hello{.sni = "a.example", .supported_versions = {0x0304}};
  const TlsHandshake t = hellos_behind_holes(hello, 0x0303).one().handshake;
  EXPECT_EQ(t.hello_retry, TriState::unknown);
  EXPECT_FALSE(known(t.hello_ns()));
  EXPECT_EQ(t.server_hello_ns, ms(2));
  EXPECT_EQ(t.early_data_offered, TriState::unknown);  // the second one never offers it
  // Records of this version are the first hello's.
  const TlsHandshake first = hellos_behind_holes(hello, 0x0301).one().handshake;
  EXPECT_EQ(first.hello_retry, TriState::unknown);
  EXPECT_EQ(first.hello_ns(), ms(1));
  EXPECT_EQ(first.early_data_offered, TriState::no);
}

TEST(Wire, TheSecondClientHelloTellsOfTheRequestThatWasNotCaptured) {
  const ClientHelloFields hello{.supported_versions = {0x0304}};
  const TlsHandshake t = Conversation()
                             .client(record(22, client_hello(hello)))
                             .lost(Direction::s2c, 100)
                             .client(record(22, client_hello(hello)))
                             .server(record(22, server_hello({.supported_version = 0x0304})))
                             .one()
                             .handshake;
  EXPECT_EQ(t.hello_retry, TriState::yes);
  EXPECT_EQ(t.hello_retry_frame, 0U);
  EXPECT_EQ(t.hello_ns(), ms(2));
}

TEST(Wire, WhatCameBeforeTheCaptureIsNotKnown) {
  const ClientHelloFields hello{.supported_versions = {0x0304}};
  Bench bench;
  StreamContext midstream = kContext;
  midstream.syn_seen = midstream.syn_ack_seen = false;
  const auto handle = bench.tracker.open(midstream);
  Conversation()
      .client(record(22, client_hello(hello)))
      .server(record(22, server_hello({.supported_version = 0x0304})))
      .play(bench.tracker, handle);
  bench.tracker.close(handle);
  ASSERT_EQ(bench.sink.told.size(), 1U);
  const TlsHandshake& t = bench.sink.told[0].handshake;
  EXPECT_EQ(t.hello_retry, TriState::unknown);
  EXPECT_FALSE(known(t.hello_ns()));
}

TEST(Wire, LostServerHelloLeavesTheVersionOpen) {
  const Told t = Conversation()
                     .client(record(22, client_hello({.supported_versions = {0x0304, 0x0303}})))
                     .lost(Direction::s2c, 3000)
                     .server(data())
                     .client(data(53) + data())
                     .one();
  EXPECT_EQ(t.handshake.version, 0);
  EXPECT_EQ(t.handshake.server_hello_frames.last, 0U);
  EXPECT_FALSE(known(t.handshake.first_client_data_ns));
  EXPECT_FALSE(known(t.handshake.first_server_data_ns));
}

TEST(Wire, HolesAnywhereAreSurvived) {
  Bench bench;
  std::mt19937 random(2);
  for (int i = 0; i < 3000; ++i) {
    const auto handle = bench.tracker.open(kContext);
    const std::string c =
        record(22, client_hello({.sni = "a.example"})) + change_cipher_spec() + finished() + data();
    const std::string s =
        record(22, server_hello({}) + certificate()) + change_cipher_spec() + finished() + data();
    for (const auto& [direction, bytes] : {std::pair{Direction::c2s, c}, {Direction::s2c, s}}) {
      const std::size_t from = random() % bytes.size();
      const std::size_t missing = random() % 200;
      Conversation before, after;
      (direction == Direction::c2s ? before.client(bytes.substr(0, from))
                                   : before.server(bytes.substr(0, from)))
          .play(bench.tracker, handle, 1 + random() % 100);
      bench.tracker.on_gap(handle, direction, missing);
      const std::string rest = bytes.substr(std::min(bytes.size(), from + missing));
      (direction == Direction::c2s ? after.client(rest) : after.server(rest))
          .play(bench.tracker, handle, 1 + random() % 100);
    }
    bench.tracker.close(handle);
  }
  EXPECT_EQ(bench.counters.of(Counter::tls_hello_buffers_full), 0U);
  EXPECT_EQ(bench.counters.of(Counter::tls_malformed), 0U);
}

TEST(Wire, MoreConnectionsThanRoom) {
  Bench bench({.connections = 2, .hello_bytes = 2048, .hello_buffers = 2});
  const auto first = bench.tracker.open(kContext);
  const auto second = bench.tracker.open(kContext);
  EXPECT_EQ(bench.tracker.open(kContext), StreamTracker::kNone);
  EXPECT_EQ(bench.counters.of(Counter::tls_streams_full), 1U);
  bench.tracker.close(first);
  EXPECT_EQ(tls12_full().told(bench).size(), 1U);  // there is room again
  bench.tracker.close(second);
}

TEST(Wire, HelloInPiecesWithoutABufferKeepsItsTimes) {
  Bench bench({.connections = 4, .hello_bytes = 2048, .hello_buffers = 1});
  const std::string hello = record(22, client_hello({.sni = "a.example"}));
  // GIVEN a connection that holds the only buffer
  const auto holder = bench.tracker.open(kContext);
  Conversation().client(hello.substr(0, 100)).play(bench.tracker, holder);
  // WHEN another hello comes in pieces
  const auto all = Conversation().client(hello.substr(0, 90)).client(hello.substr(90)).told(bench);
  // THEN it is seen, but not what it says
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].handshake.client_hello_frames.last, 2U);
  EXPECT_EQ(all[0].sni, "");
  EXPECT_EQ(bench.counters.of(Counter::tls_hello_buffers_full), 1U);
  // one that comes whole needs none
  EXPECT_EQ(Conversation().client(hello).told(bench).at(0).sni, "a.example");
  // and the buffer serves the next one once its holder is gone
  bench.tracker.close(holder);
  EXPECT_EQ(Conversation().client(hello).told(bench, 50).at(0).sni, "a.example");
}

TEST(Wire, HelloLongerThanTheLimit) {
  Bench bench({.connections = 4, .hello_bytes = 500, .hello_buffers = 1});
  const auto conversation =
      Conversation().client(record(22, client_hello({.sni = "a.example", .padding = 400})));
  EXPECT_EQ(conversation.told(bench, 100).at(0).sni, "");
  EXPECT_EQ(bench.counters.of(Counter::tls_hellos_too_long), 1U);
  EXPECT_EQ(conversation.told(bench).at(0).sni, "a.example");  // whole: read where it lies
}

/// TLS 1.3 whose records do not end where its segments do, and whose 0-RTT data has one of its own.
Conversation tls13_across_segments() {
  const std::string flight = record(22, server_hello({.supported_version = 0x0304, .psk = true})) +
                             change_cipher_spec() + data(40) + data(400) + data(280) + data(53);
  const ClientHelloFields hello{
      .sni = "www.example.com", .supported_versions = {0x0304}, .psk = true, .early_data = true};
  return Conversation()
      .client(record(22, client_hello(hello), 0x0301))
      .client(change_cipher_spec() + data(300))
      .server(flight.substr(0, 400))
      .server(flight.substr(400))
      .client(data(74))
      .client(data(100))
      .server(data(120));
}

/// What is told of a part is what the whole conversation tells, or that it is not known.
void expect_nothing_else(const Told& told, const Told& whole) {
  const TlsHandshake& part = told.handshake;
  const TlsHandshake& full = whole.handshake;
  for (const auto time :
       {&TlsHandshake::client_hello_ns, &TlsHandshake::server_hello_ns,
        &TlsHandshake::client_finished_ns, &TlsHandshake::server_finished_ns,
        &TlsHandshake::first_client_data_ns, &TlsHandshake::first_server_data_ns}) {
    if (known(part.*time)) {
      ASSERT_EQ(part.*time, full.*time);
    }
  }
  for (const auto number :
       {&TlsHandshake::version, &TlsHandshake::client_version, &TlsHandshake::cipher}) {
    if (part.*number != 0) {
      ASSERT_EQ(part.*number, full.*number);
    }
  }
  for (const auto state : {&TlsHandshake::resumed, &TlsHandshake::early_data_accepted,
                           &TlsHandshake::hello_retry, &TlsHandshake::early_data_offered,
                           &TlsHandshake::psk_offered, &TlsHandshake::ech_offered}) {
    if (part.*state != TriState::unknown) {
      ASSERT_EQ(part.*state, full.*state);
    }
  }
  for (const auto text : {&Told::sni, &Told::alpn, &Told::alpn_offered}) {
    if (!(told.*text).empty()) {
      ASSERT_EQ(told.*text, whole.*text);
    }
  }
  if (part.round_trips != 0) {
    ASSERT_EQ(part.round_trips, full.round_trips);
  }
  if (part.certificate_bytes != 0) {
    ASSERT_EQ(part.certificate_bytes, full.certificate_bytes);
  }
}

TEST(Wire, SegmentsCutByTheSnaplenTellNothingElse) {
  Bench bench;
  std::vector<Conversation> conversations = all_conversations();
  conversations.push_back(tls13_across_segments());
  conversations.push_back(tls13_early_data_refused());
  for (const auto& conversation : conversations) {
    const Told whole = conversation.one();
    for (std::size_t most = 1; most < 500; ++most) {
      SCOPED_TRACE(most);
      const auto told = conversation.snaplen(most).told(bench);
      ASSERT_LE(told.size(), 1U);
      if (!told.empty()) expect_nothing_else(told[0], whole);
      ASSERT_FALSE(HasFatalFailure());
    }
  }
  // every buffer and place was given back
  expect_same(tls12_full().told(bench, 5).at(0), tls12_full().one());
}

/// Bytes that were never captured, anywhere, given up sooner or later.
TEST(Wire, HolesTellNothingElse) {
  Bench bench;
  std::vector<Conversation> conversations = all_conversations();
  conversations.push_back(tls13_across_segments());
  conversations.push_back(tls13_early_data_refused());
  for (const auto& conversation : conversations) {
    const Told whole = conversation.one();
    for (std::size_t s = 0; s < conversation.segments(); ++s) {
      const std::size_t size = conversation.bytes_of(s);
      for (std::size_t from = 0; from < size; from += 1 + from / 16) {
        for (std::size_t to = size; to > from; to -= 1 + (to - from) / 8) {
          for (const std::size_t others : {0U, 1U, 2U, 9U}) {
            SCOPED_TRACE(::testing::Message()
                         << "conversation " << (&conversation - conversations.data())
                         << ", segment " << s + 1 << ": " << from << " to " << to << ", "
                         << others);
            const auto told = conversation.told(bench, {s, from, to, others});
            ASSERT_LE(told.size(), 1U);
            if (!told.empty()) expect_nothing_else(told[0], whole);
            ASSERT_FALSE(HasFatalFailure());
          }
        }
      }
    }
  }
  expect_same(tls12_full().told(bench, 5).at(0), tls12_full().one());
}

TEST(Wire, HellosCutByTheSnaplenHaveTheirTimes) {
  // Both hellos as far as their random, and what is behind them in their segments not at all.
  const Told t = tls13_full().snaplen(48).one();
  EXPECT_EQ(t.handshake.hello_ns(), kMillisecondNs);
  EXPECT_EQ(t.handshake.client_hello_frames.last, 1U);
  EXPECT_EQ(t.handshake.server_hello_frames.last, 2U);
  EXPECT_EQ(t.handshake.version, 0);
  EXPECT_EQ(t.handshake.client_version, 0);
  EXPECT_EQ(t.handshake.resumed, TriState::unknown);
  EXPECT_EQ(t.handshake.round_trips, 0);
  // One byte less of the random: it may as well be a HelloRetryRequest.
  EXPECT_FALSE(known(tls13_full().snaplen(42).one().handshake.server_hello_ns));
  EXPECT_EQ(tls13_full().snaplen(130).one().sni, "www.example.com");
}

}  // namespace
}  // namespace wirelag::tls_test
