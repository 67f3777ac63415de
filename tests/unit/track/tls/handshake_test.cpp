// What is told about a handshake, by the book: every version, full, resumed, retried, with early
// data.

#include <gtest/gtest.h>

#include "conversations.hpp"

namespace wirelag::tls_test {
namespace {

TEST(Handshake, Tls12Full) {
  const Told t = tls12_full().one();
  EXPECT_EQ(t.handshake.connection, 7U);
  EXPECT_EQ(t.handshake.client.port, 40000);
  EXPECT_EQ(t.handshake.version, 0x0303);
  EXPECT_EQ(t.handshake.client_version, 0x0303);
  EXPECT_EQ(t.handshake.cipher, 0xc02f);
  EXPECT_EQ(t.handshake.resumed, TriState::no);
  EXPECT_EQ(t.handshake.certificate_bytes, 300U);
  EXPECT_EQ(t.sni, "www.example.com");
  EXPECT_EQ(t.alpn, "h2");
  EXPECT_EQ(t.alpn_offered, "h2,http/1.1");
  EXPECT_EQ(t.handshake.client_hello_frames.last, 1U);
  EXPECT_EQ(t.handshake.server_hello_frames.last, 2U);
  EXPECT_EQ(t.handshake.hello_ns(), ms(1));
  EXPECT_EQ(t.handshake.client_finished_ns, ms(3));
  EXPECT_EQ(t.handshake.server_finished_ns, ms(4));
  EXPECT_EQ(t.handshake.handshake_ns(), ms(3));
  EXPECT_EQ(t.handshake.first_client_data_ns, ms(5));
  EXPECT_EQ(t.handshake.first_server_data_ns, ms(6));
  EXPECT_EQ(t.handshake.round_trips, 2);
  EXPECT_TRUE(t.handshake.complete());
  EXPECT_EQ(t.handshake.alert_frame, 0U);
  EXPECT_EQ(t.handshake.hello_retry, TriState::no);
  EXPECT_EQ(t.handshake.psk_offered, TriState::no);
  EXPECT_EQ(t.handshake.early_data_offered, TriState::no);
  EXPECT_EQ(t.handshake.ech_offered, TriState::no);
}

// The client may send when it has the server's Finished.
TEST(Handshake, Tls12WithoutTheServersFinishedHasNoRoundTrips) {
  const auto until_client_finished = [] {
    return Conversation()
        .client(record(22, client_hello({.sni = "www.example.com"}), 0x0301))
        .server(record(22, server_hello({})) + record(22, certificate(300)) +
                record(22, message(14, "")))
        .client(record(22, message(16, std::string(66, 'x'))) + change_cipher_spec() + finished());
  };
  const Told ended = until_client_finished().one();
  EXPECT_EQ(ended.handshake.client_finished_ns, ms(3));
  EXPECT_FALSE(ended.handshake.complete());
  EXPECT_EQ(ended.handshake.round_trips, 0);
  const Told false_start = until_client_finished().client(data()).one();
  EXPECT_EQ(false_start.handshake.round_trips, 1);
}

TEST(Handshake, Tls12Resumed) {
  const Told t = tls12_resumed().one();
  EXPECT_EQ(t.handshake.resumed, TriState::yes);
  EXPECT_EQ(t.handshake.certificate_bytes, 0U);
  EXPECT_EQ(t.handshake.server_finished_ns, ms(2));
  EXPECT_EQ(t.handshake.client_finished_ns, ms(3));
  EXPECT_EQ(t.handshake.first_client_data_ns, ms(3));
  EXPECT_EQ(t.handshake.first_server_data_ns, ms(4));
  EXPECT_EQ(t.handshake.round_trips, 1);
}

TEST(Handshake, AMilestoneWithoutATimeDoesNotTakeALaterOne) {
  const auto played = [](bool client_untimed, bool server_untimed) {
    Conversation c;
    c.client(record(22, client_hello({}), 0x0301));                              // 1
    c.server(record(22, server_hello({})) + change_cipher_spec() + finished());  // 2
    if (server_untimed) c.untimed();
    c.client(change_cipher_spec() + finished() + data());  // 3
    if (client_untimed) c.untimed();
    return c.server(data()).client(data()).server(finished() + data()).one();  // 4 to 6
  };
  const Told client = played(true, false);
  EXPECT_EQ(client.handshake.client_finished_ns, kUnknownNs);
  EXPECT_EQ(client.handshake.first_client_data_ns, kUnknownNs);
  EXPECT_EQ(client.handshake.first_server_data_ns, ms(4));
  EXPECT_EQ(client.handshake.handshake_ns(), kUnknownNs);
  EXPECT_TRUE(client.handshake.complete());
  const Told server = played(false, true);
  EXPECT_EQ(server.handshake.server_finished_ns, kUnknownNs);
  EXPECT_EQ(server.handshake.server_hello_ns, kUnknownNs);
  EXPECT_EQ(server.handshake.client_finished_ns, ms(3));
}

TEST(Handshake, WithoutAnyTimeIsStillTold) {
  const Told t = Conversation()
                     .client(record(22, client_hello({.sni = "www.example.com"}), 0x0301))
                     .untimed()
                     .one();
  EXPECT_EQ(t.sni, "www.example.com");
  EXPECT_EQ(t.handshake.client_hello_ns, kUnknownNs);
}

TEST(Handshake, FalseStartSavesARoundTrip) {  // RFC 7918
  const Told t =
      Conversation()
          .client(record(22, client_hello({})))                                               // 1
          .server(record(22, server_hello({}) + certificate(300) + message(14, "")))          // 2
          .client(record(22, message(16, "x")) + change_cipher_spec() + finished() + data())  // 3
          .server(change_cipher_spec() + finished())                                          // 4
          .server(data())                                                                     // 5
          .one();
  EXPECT_EQ(t.handshake.round_trips, 1);
  EXPECT_EQ(t.handshake.first_client_data_ns, ms(3));
  EXPECT_EQ(t.handshake.server_finished_ns, ms(4));
}

TEST(Handshake, FullWithoutCertificateIsNotResumed) {  // anonymous or PSK key exchange
  const Told t = Conversation()
                     .client(record(22, client_hello({})))
                     .server(record(22, server_hello({}) + message(12, "kx") + message(14, "")))
                     .client(record(22, message(16, "x")) + change_cipher_spec() + finished())
                     .server(change_cipher_spec() + finished())
                     .one();
  EXPECT_EQ(t.handshake.resumed, TriState::no);
}

TEST(Handshake, Tls13Full) {
  const Told t = tls13_full().one();
  EXPECT_EQ(t.handshake.version, 0x0304);
  EXPECT_EQ(t.handshake.client_version, 0x0304);
  EXPECT_EQ(t.handshake.cipher, 0x1301);
  EXPECT_EQ(t.handshake.resumed, TriState::no);
  EXPECT_EQ(t.handshake.certificate_bytes, 0U);
  EXPECT_EQ(t.alpn, "");
  EXPECT_EQ(t.alpn_offered, "h2");
  EXPECT_EQ(t.handshake.hello_ns(), ms(1));
  EXPECT_EQ(t.handshake.server_finished_ns, ms(3));
  EXPECT_EQ(t.handshake.client_finished_ns, ms(4));
  EXPECT_EQ(t.handshake.first_client_data_ns, ms(5));
  EXPECT_EQ(t.handshake.first_server_data_ns, ms(6));
  EXPECT_EQ(t.handshake.round_trips, 1);
  EXPECT_TRUE(t.handshake.complete());
}

TEST(Handshake, HelloRetryRequestCountsFromTheFirstHelloToTheFinalOne) {
  const Told t = tls13_retry().one();
  EXPECT_EQ(t.handshake.hello_retry, TriState::yes);
  EXPECT_EQ(t.handshake.hello_retry_frame, 2U);
  EXPECT_EQ(t.handshake.client_hello_frames.last, 1U);
  EXPECT_EQ(t.handshake.server_hello_frames.last, 4U);
  EXPECT_EQ(t.handshake.hello_ns(), ms(3));
  EXPECT_EQ(t.handshake.cipher, 0x1302);
  EXPECT_EQ(t.handshake.server_finished_ns, ms(4));
  EXPECT_EQ(t.handshake.client_finished_ns, ms(5));
  EXPECT_EQ(t.handshake.first_client_data_ns, ms(6));
  EXPECT_EQ(t.handshake.first_server_data_ns, ms(7));
  EXPECT_EQ(t.handshake.round_trips, 2);
}

TEST(Handshake, RetryWithoutFinalServerHelloHasNoHelloTime) {
  const Told t = Conversation()
                     .client(record(22, client_hello({.supported_versions = {0x0304}})))
                     .server(record(22, server_hello({.supported_version = 0x0304, .retry = true})))
                     .one();
  EXPECT_EQ(t.handshake.hello_retry, TriState::yes);
  EXPECT_EQ(t.handshake.server_hello_frames.last, 0U);
  EXPECT_FALSE(known(t.handshake.hello_ns()));
  EXPECT_EQ(t.handshake.version, 0);
}

TEST(Handshake, Tls13ResumedWithoutEarlyData) {
  const Told t =
      Conversation()
          .client(record(
              22,
              client_hello(
                  {.sni = "www.example.com", .supported_versions = {0x0304, 0x0303}, .psk = true}),
              0x0301))  // 1
          .server(record(22, server_hello(
                                 {.cipher = 0x1301, .supported_version = 0x0304, .psk = true})) +
                  change_cipher_spec() + data(40) + data(53))  // 2: no Certificate
          .client(change_cipher_spec() + data(53))             // 3: Finished
          .client(data(200))                                   // 4
          .server(data(250))                                   // 5: tickets
          .server(data(120))                                   // 6
          .one();
  EXPECT_EQ(t.handshake.version, 0x0304);
  EXPECT_EQ(t.handshake.psk_offered, TriState::yes);
  EXPECT_EQ(t.handshake.early_data_offered, TriState::no);
  EXPECT_EQ(t.handshake.resumed, TriState::yes);
  EXPECT_EQ(t.handshake.certificate_bytes, 0U);
  EXPECT_EQ(t.handshake.hello_ns(), ms(1));
  EXPECT_EQ(t.handshake.server_finished_ns, ms(2));
  EXPECT_EQ(t.handshake.client_finished_ns, ms(3));
  EXPECT_EQ(t.handshake.first_client_data_ns, ms(4));
  EXPECT_EQ(t.handshake.first_server_data_ns, ms(5));
  EXPECT_EQ(t.handshake.round_trips, 1);
  EXPECT_TRUE(t.handshake.complete());
}

TEST(Handshake, Tls13KeyThatTheServerRefusesIsNotResumed) {
  const Told t =
      Conversation()
          .client(record(22, client_hello({.supported_versions = {0x0304}, .psk = true}), 0x0301))
          .server(record(22, server_hello({.cipher = 0x1301, .supported_version = 0x0304})) +
                  data(900))
          .client(data(53))
          .client(data(200))
          .one();
  EXPECT_EQ(t.handshake.psk_offered, TriState::yes);
  EXPECT_EQ(t.handshake.resumed, TriState::no);
  EXPECT_EQ(t.handshake.client_finished_ns, ms(3));
  EXPECT_EQ(t.handshake.first_client_data_ns, ms(4));
}

TEST(Handshake, EarlyDataIsApplicationData) {
  const Told t = tls13_early_data().one();
  EXPECT_EQ(t.handshake.psk_offered, TriState::yes);
  EXPECT_EQ(t.handshake.early_data_offered, TriState::yes);
  EXPECT_EQ(t.handshake.resumed, TriState::yes);
  EXPECT_EQ(t.handshake.first_client_data_ns, ms(1));
  EXPECT_EQ(t.handshake.server_finished_ns, ms(2));
  EXPECT_EQ(t.handshake.client_finished_ns, ms(3));
  EXPECT_EQ(t.handshake.first_server_data_ns, ms(4));
  EXPECT_EQ(t.handshake.early_data_accepted, TriState::unknown);  // told in an encrypted message
  EXPECT_EQ(t.handshake.round_trips, 1);
}

TEST(Handshake, EndOfEarlyDataIsTooShortForAFinished) {
  const Told t =
      Conversation()
          .client(
              record(22, client_hello(
                             {.supported_versions = {0x0304}, .psk = true, .early_data = true})) +
              data(300))  // 1
          .server(record(22, server_hello(
                                 {.cipher = 0x1301, .supported_version = 0x0304, .psk = true})) +
                  data(90))   // 2
          .client(data(21))   // 3: EndOfEarlyData
          .client(data(53))   // 4: Finished
          .client(data(200))  // 5
          .server(data(120))  // 6
          .one();
  EXPECT_EQ(t.handshake.first_client_data_ns, ms(1));
  EXPECT_EQ(t.handshake.server_finished_ns, ms(2));
  EXPECT_EQ(t.handshake.client_finished_ns, ms(4));
}

TEST(Handshake, EarlyDataWithoutTheKeyIsRefused) {
  const Told t =
      Conversation()
          .client(
              record(22, client_hello(
                             {.supported_versions = {0x0304}, .psk = true, .early_data = true})) +
              data(300))  // 1: thrown away by the server
          .server(record(22, server_hello({.cipher = 0x1301, .supported_version = 0x0304})) +
                  data(900))  // 2
          .client(data(53))   // 3
          .client(data(300))  // 4: the same again
          .server(data(120))  // 5
          .one();
  EXPECT_EQ(t.handshake.early_data_accepted, TriState::no);
  EXPECT_EQ(t.handshake.resumed, TriState::no);
  EXPECT_EQ(t.handshake.client_finished_ns, ms(3));
  EXPECT_EQ(t.handshake.first_client_data_ns, ms(4));
  EXPECT_EQ(t.handshake.first_server_data_ns, ms(5));
}

TEST(Handshake, AlertEndsIt) {
  const std::string hello = record(22, client_hello({}));
  const Told refused = Conversation()
                           .client(hello)
                           .server(record(21, u8(2) + u8(40)))  // handshake_failure
                           .one();
  EXPECT_EQ(refused.handshake.alert_frame, 2U);
  EXPECT_EQ(refused.handshake.alert, 40);
  EXPECT_FALSE(refused.handshake.alert_by_client);
  EXPECT_EQ(refused.handshake.round_trips, 0);
  EXPECT_FALSE(refused.handshake.complete());

  const Told distrusted = Conversation()
                              .client(hello)
                              .server(record(22, server_hello({}) + certificate(300)))
                              .client(record(21, u8(2) + u8(48)))  // unknown_ca
                              .one();
  EXPECT_EQ(distrusted.handshake.alert_frame, 3U);
  EXPECT_EQ(distrusted.handshake.alert, 48);
  EXPECT_TRUE(distrusted.handshake.alert_by_client);
  EXPECT_EQ(distrusted.handshake.resumed, TriState::no);  // a certificate was shown
}

TEST(Handshake, WarningsAndEncryptedAlertsDoNotEndIt) {
  const Told warned = Conversation()
                          .client(record(22, client_hello({})))
                          .server(record(21, u8(1) + u8(112)) + record(22, server_hello({})))
                          .one();
  EXPECT_EQ(warned.handshake.alert_frame, 0U);
  EXPECT_EQ(warned.handshake.server_hello_frames.last, 2U);

  // TLS 1.3: the client's only record after the server's flight is too short for a Finished
  const Told hidden =
      Conversation()
          .client(record(22, client_hello({.supported_versions = {0x0304}})))
          .server(record(22, server_hello({.cipher = 0x1302, .supported_version = 0x0304})) +
                  data(900))
          .client(data(19))
          .one();
  EXPECT_EQ(hidden.handshake.alert_frame, 0U);
  EXPECT_EQ(hidden.handshake.server_finished_ns, ms(2));
  EXPECT_FALSE(known(hidden.handshake.client_finished_ns));
  EXPECT_FALSE(hidden.handshake.complete());
}

TEST(Handshake, RoundTripsAreNotCountedThroughAHole) {
  const Told t = Conversation()
                     .client(record(22, client_hello({})))
                     .server(record(22, server_hello({}) + message(14, "")))
                     .lost(Direction::c2s, 100)
                     .client(change_cipher_spec() + finished())
                     .server(change_cipher_spec() + finished())
                     .client(data())
                     .one();
  EXPECT_TRUE(t.handshake.complete());
  EXPECT_EQ(t.handshake.round_trips, 0);
}

TEST(Handshake, OneSideAloneDoesNotTellWhenItWasOver) {
  const ClientHelloFields hello{.supported_versions = {0x0304}, .psk = true, .early_data = true};
  const Told retried = Conversation()
                           .client(record(22, client_hello(hello)) + change_cipher_spec() + data())
                           .client(record(22, client_hello(hello)))  // after a retry nobody saw
                           .client(data(53))
                           .client(data())
                           .one();
  EXPECT_FALSE(known(retried.handshake.client_finished_ns));
  EXPECT_FALSE(known(retried.handshake.first_client_data_ns));
  EXPECT_FALSE(known(retried.handshake.handshake_ns()));

  const Told tls12 = Conversation()
                         .client(record(22, client_hello({})))
                         .client(record(22, message(16, "x")) + change_cipher_spec() + finished())
                         .client(data())
                         .one();
  EXPECT_EQ(tls12.handshake.client_finished_ns, ms(2));
  EXPECT_EQ(tls12.handshake.first_client_data_ns, ms(3));
  EXPECT_FALSE(known(tls12.handshake.handshake_ns()));
}

TEST(Handshake, EncryptedClientHelloIsNoticed) {
  const Told t =
      Conversation().client(record(22, client_hello({.sni = "public.example", .ech = true}))).one();
  EXPECT_EQ(t.handshake.ech_offered, TriState::yes);
  EXPECT_EQ(t.sni, "public.example");
}

TEST(Handshake, EarlyDataBeforeARetry) {
  const ClientHelloFields first{.supported_versions = {0x0304}, .psk = true, .early_data = true};
  const Told t = Conversation()
                     .client(record(22, client_hello(first)) + change_cipher_spec() + data())
                     .server(record(22, server_hello({.supported_version = 0x0304, .retry = true})))
                     .client(record(22, client_hello({.supported_versions = {0x0304}})))
                     .server(record(22, server_hello({.supported_version = 0x0304})) + data())
                     .client(data(53))
                     .server(data())
                     .one();
  EXPECT_EQ(t.handshake.hello_retry, TriState::yes);
  EXPECT_EQ(t.handshake.hello_ns(), ms(3));
  EXPECT_EQ(t.handshake.client_finished_ns, ms(5));
  EXPECT_EQ(t.handshake.early_data_accepted, TriState::no);
  EXPECT_FALSE(known(t.handshake.first_client_data_ns));
  EXPECT_EQ(t.handshake.round_trips, 2);
}

TEST(Handshake, Drafts) {
  // up to draft 21: the version in front, no session id, HelloRetryRequest a message of its own
  const Told early =
      Conversation()
          .client(record(22, client_hello({.supported_versions = {0x7f12, 0x0303}})))
          .server(record(22, message(6, u16(0x7f12) + with16(""))))
          .client(record(22, client_hello({.supported_versions = {0x7f12}})))
          .server(record(22, server_hello({.version = 0x7f12, .cipher = 0x1303, .psk = true})))
          .one();
  EXPECT_EQ(early.handshake.client_version, 0x7f12);
  EXPECT_EQ(early.handshake.version, 0x7f12);
  EXPECT_EQ(early.handshake.cipher, 0x1303);
  EXPECT_EQ(early.handshake.resumed, TriState::yes);
  EXPECT_EQ(early.handshake.hello_retry_frame, 2U);
  EXPECT_EQ(early.handshake.hello_ns(), ms(3));

  const Told late = Conversation()
                        .client(record(22, client_hello({.supported_versions = {0x7f1c, 0x7f17}})))
                        .server(record(22, server_hello({.supported_version = 0x7f1c})))
                        .one();
  EXPECT_EQ(late.handshake.client_version, 0x7f1c);
  EXPECT_EQ(late.handshake.version, 0x7f1c);
}

TEST(Handshake, HighestOfferedVersionSkipsGrease) {
  const auto offered = [](std::vector<std::size_t> versions) {
    return Conversation()
        .client(record(22, client_hello({.supported_versions = std::move(versions)})))
        .one()
        .handshake.client_version;
  };
  EXPECT_EQ(offered({0xfafa, 0x0303, 0x0302}), 0x0303);
  EXPECT_EQ(offered({0x7f1c, 0x0304, 0x0303}), 0x0304);
  EXPECT_EQ(offered({0x0303, 0x7f1c}), 0x7f1c);
  EXPECT_EQ(offered({0x1a1a}), 0x0303);  // nothing but GREASE: the field in front counts
}

/// Without extensions, with a MAC and CBC: TLS 1.0, and 1.1 with an IV in front of every record.
Conversation old_full(std::size_t version, std::size_t iv) {
  const auto encrypted = [=](int type, std::size_t size) {
    return record(type, std::string(iv + size, '\x5a'), static_cast<int>(version));
  };
  const auto plain = [=](const std::string& messages) {
    return record(22, messages, static_cast<int>(version));
  };
  const std::string begins = record(20, u8(1), static_cast<int>(version));
  return Conversation()
      .client(record(22, client_hello({.version = version}), 0x0301))  // 1
      .server(plain(server_hello({.version = version, .cipher = 0x002f}) + certificate(300) +
                    message(14, "")))                                                  // 2
      .client(plain(message(16, std::string(130, 'x'))) + begins + encrypted(22, 48))  // 3
      .server(begins + encrypted(22, 48))                                              // 4
      .client(encrypted(23, 32) + encrypted(23, 96))  // 5: an empty record first, against BEAST
      .server(encrypted(23, 480))                     // 6
      .client(encrypted(21, 32));                     // 7: close_notify
}

TEST(Handshake, Tls10And11Full) {
  for (const std::size_t version : {0x0301, 0x0302}) {
    const Told t = old_full(version, version == 0x0302 ? 16 : 0).one();
    EXPECT_EQ(t.handshake.version, version);
    EXPECT_EQ(t.handshake.client_version, version);
    EXPECT_EQ(t.handshake.cipher, 0x002f);
    EXPECT_EQ(t.handshake.resumed, TriState::no);
    EXPECT_EQ(t.handshake.certificate_bytes, 300U);
    EXPECT_EQ(t.handshake.hello_ns(), ms(1));
    EXPECT_EQ(t.handshake.client_finished_ns, ms(3));
    EXPECT_EQ(t.handshake.server_finished_ns, ms(4));
    EXPECT_EQ(t.handshake.first_client_data_ns, ms(5));
    EXPECT_EQ(t.handshake.first_server_data_ns, ms(6));
    EXPECT_EQ(t.handshake.round_trips, 2);
    EXPECT_TRUE(t.handshake.complete());
    EXPECT_EQ(t.handshake.alert_frame, 0U);
    EXPECT_EQ(t.handshake.hello_retry, TriState::no);
    EXPECT_EQ(t.handshake.psk_offered, TriState::no);
  }
}

TEST(Handshake, Tls10And11Resumed) {
  for (const int version : {0x0301, 0x0302}) {
    const auto wide = static_cast<std::size_t>(version);
    const std::string over =
        record(20, u8(1), version) + record(22, std::string(64, '\x5a'), version);
    const std::string bytes = record(23, std::string(96, '\x5a'), version);
    const Told t =
        Conversation()
            .client(record(22, client_hello({.version = wide}), 0x0301))                      // 1
            .server(record(22, server_hello({.version = wide, .cipher = 0x002f}), version) +  // 2
                    over)
            .client(over + bytes)  // 3
            .server(bytes)         // 4
            .one();
    EXPECT_EQ(t.handshake.version, wide);
    EXPECT_EQ(t.handshake.resumed, TriState::yes);
    EXPECT_EQ(t.handshake.certificate_bytes, 0U);
    EXPECT_EQ(t.handshake.server_finished_ns, ms(2));
    EXPECT_EQ(t.handshake.client_finished_ns, ms(3));
    EXPECT_EQ(t.handshake.first_client_data_ns, ms(3));
    EXPECT_EQ(t.handshake.first_server_data_ns, ms(4));
    EXPECT_EQ(t.handshake.round_trips, 1);
  }
}

TEST(Handshake, Ssl3) {
  const Told t = Conversation()
                     .client(record(22, client_hello({.version = 0x0300}), 0x0300))
                     .server(record(22, server_hello({.version = 0x0300, .cipher = 5}), 0x0300))
                     .one();
  EXPECT_EQ(t.handshake.version, 0x0300);
  EXPECT_EQ(t.handshake.cipher, 5);
}

const std::string kSsl2ClientHello =
    u8(1) + u16(0x0301) + u16(6) + u16(0) + u16(16) + std::string(6, 'c') + std::string(16, 'x');

TEST(Handshake, Ssl2ClientHelloThatAsksForTls) {
  const Told t = Conversation()
                     .client(u16(0x8000 | kSsl2ClientHello.size()) + kSsl2ClientHello)
                     .server(record(22, server_hello({.version = 0x0301}) + certificate(), 0x0301))
                     .client(record(22, message(16, "x")) + change_cipher_spec() + finished())
                     .server(change_cipher_spec() + finished() + data())
                     .client(data())
                     .one();
  EXPECT_EQ(t.handshake.client_version, 0x0301);
  EXPECT_EQ(t.handshake.version, 0x0301);
  EXPECT_EQ(t.handshake.hello_ns(), ms(1));
  EXPECT_EQ(t.handshake.first_client_data_ns, ms(5));
}

TEST(Handshake, Ssl2) {
  const std::string server = u8(4) + u8(0) + u8(1) + u16(2) + u16(0) + u16(0) + u16(16);
  Bench bench;
  const auto all = Conversation()
                       .client(u16(0x8000 | kSsl2ClientHello.size()) + kSsl2ClientHello)
                       .server(u16(0x8000 | server.size()) + server)
                       .client(u16(0x8003) + "xyz")
                       .told(bench);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].handshake.version, 0x0002);
  EXPECT_EQ(all[0].handshake.hello_ns(), ms(1));
  EXPECT_EQ(bench.counters.of(Counter::tls_malformed), 0U);
}

TEST(Handshake, ClientIsWhoSaysClientHello) {
  for (const auto& conversation : {tls12_full(), tls13_full(), tls13_retry(), tls13_early_data()}) {
    const Told t = conversation.one();
    const Told r = conversation.reversed().one();
    EXPECT_EQ(r.handshake.client, t.handshake.server);
    EXPECT_EQ(r.handshake.server, t.handshake.client);
    EXPECT_EQ(r.sni, t.sni);
    EXPECT_EQ(r.handshake.hello_ns(), t.handshake.hello_ns());
    EXPECT_EQ(r.handshake.client_finished_ns, t.handshake.client_finished_ns);
    EXPECT_EQ(r.handshake.server_finished_ns, t.handshake.server_finished_ns);
    EXPECT_EQ(r.handshake.first_client_data_ns, t.handshake.first_client_data_ns);
    EXPECT_EQ(r.handshake.certificate_bytes, t.handshake.certificate_bytes);
  }
}

TEST(Handshake, ServerHelloIsCompleteWithItsRecord) {
  // GIVEN a server that puts ServerHello and Certificate into one record over three segments
  const std::string flight = record(22, server_hello({}) + certificate());
  // WHEN the ServerHello's bytes are all in the first
  const Told t = Conversation()
                     .client(record(22, client_hello({})))
                     .server(flight.substr(0, 1400))
                     .server(flight.substr(1400, 1400))
                     .server(flight.substr(2800))
                     .one();
  // THEN it can be used when the record is complete
  EXPECT_EQ(t.handshake.server_hello_frames.first, 2U);
  EXPECT_EQ(t.handshake.server_hello_frames.last, 4U);
  EXPECT_EQ(t.handshake.hello_ns(), ms(3));
}

TEST(Handshake, HelloEndsWithItsLatestSegment) {
  // GIVEN a ClientHello in two segments, of which the second was captured first
  const std::string hello = record(22, client_hello({.sni = "a.example"}));
  const Told t = Conversation()
                     .client(hello.substr(0, 50))
                     .captured_in(9)
                     .client(hello.substr(50))
                     .captured_in(8)
                     .one();
  EXPECT_EQ(t.handshake.client_hello_frames.first, 8U);
  EXPECT_EQ(t.handshake.client_hello_frames.last, 9U);
  EXPECT_EQ(t.handshake.client_hello_ns, ms(9));
}

TEST(Handshake, ToldOnceAsSoonAsItIsOver) {
  Bench bench;
  const auto handle = bench.tracker.open(kContext);
  tls12_full().play(bench.tracker, handle);
  EXPECT_EQ(bench.sink.told.size(), 1U);
  Conversation().client("not TLS at all").server(data()).play(bench.tracker, handle);
  bench.tracker.on_gap(handle, Direction::s2c, 5);
  bench.tracker.on_fin(handle, Direction::s2c, 0, 0);
  bench.tracker.close(handle);
  EXPECT_EQ(bench.sink.told.size(), 1U);
  EXPECT_EQ(bench.counters.of(Counter::tls_malformed), 0U);
}

TEST(Handshake, ServiceComesWithTheServerName) {
  Bench bench({.connections = 1, .hello_bytes = 2048, .hello_buffers = 1},
              Signatures::compile({{"shop", "example\\.com$"}}).value());
  const auto handle = bench.tracker.open(kContext);
  EXPECT_EQ(bench.tracker.service(handle), kNoService);
  tls12_full().play(bench.tracker, handle);
  EXPECT_EQ(bench.tracker.service(handle), 1);
  bench.tracker.close(handle);
  EXPECT_EQ(bench.sink.told.at(0).handshake.service, 1);
}

TEST(Handshake, AlpnOfferIsCutAtWholeNamesAndLeavesGreaseOut) {
  const std::string half(47, 'a');
  const Told t = Conversation()
                     .client(record(22, client_hello({.alpn = {"\x2a\x2a", half, half, "h2"}})))
                     .one();
  EXPECT_EQ(t.alpn_offered, half + "," + half);
}

}  // namespace
}  // namespace wirelag::tls_test
