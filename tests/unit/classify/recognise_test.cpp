// Protocols by their first bytes: what is recognised, how early, and what must not be.

#include <random>
#include <string>

#include <gtest/gtest.h>

#include <wirelag/classify/classifier.hpp>

namespace wirelag {
namespace {

using namespace std::string_literals;

std::string shown(std::string_view bytes) {
  std::string out;
  for (const char c : bytes)
    out += c >= ' ' && c <= '~' ? std::string(1, c) : "\\x" + std::to_string(std::uint8_t(c));
  return out;
}

/// Bytes from hex digits; spaces are for the reader.
std::string hex(std::string_view digits) {
  std::string out;
  int high = -1;
  for (const char c : digits) {
    if (c == ' ') continue;
    const int value = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = value;
    } else {
      out += static_cast<char>(high << 4 | value);
      high = -1;
    }
  }
  return out;
}

class Recognise : public testing::Test {
 protected:
  Protocol tcp(std::string_view bytes) {
    return classifier_.recognise(as_bytes(bytes), Transport::tcp).protocol;
  }
  Protocol udp(std::string_view bytes) {
    return classifier_.recognise(as_bytes(bytes), Transport::udp).protocol;
  }
  void expect_tcp(Protocol protocol, std::initializer_list<std::string> payloads) {
    for (const std::string& payload : payloads)
      EXPECT_EQ(name(tcp(payload)), name(protocol)) << shown(payload);
  }
  void expect_udp(Protocol protocol, std::initializer_list<std::string> payloads) {
    for (const std::string& payload : payloads)
      EXPECT_EQ(name(udp(payload)), name(protocol)) << shown(payload);
  }
  /// The number of leading bytes from which on the answer is `protocol` and stays so.
  std::size_t bytes_needed(const std::string& payload, Protocol protocol) {
    std::size_t needed = payload.size();
    while (needed > 0 && tcp(std::string_view(payload).substr(0, needed - 1)) == protocol) --needed;
    for (std::size_t n = 0; n < needed; ++n)
      EXPECT_EQ(name(tcp(std::string_view(payload).substr(0, n))), "unknown") << n;
    return needed;
  }

  static std::shared_ptr<const Signatures> signatures() {
    static const auto compiled = Signatures::compile({}).value();
    return compiled;
  }
  Classifier classifier_{signatures()};
};

TEST_F(Recognise, HttpRequests) {
  expect_tcp(
      Protocol::http1,
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /upload HTTP/1.0\r\n", "OPTIONS * HTTP/1.1\r\n",
       "GET http://proxy.example/x HTTP/1.1\r\n", "CONNECT example.com:443 HTTP/1.1\r\n",
       "CONNECT [2001:db8::1]:443 HTTP/1.1\r\n", "M-SEARCH * HTTP/1.1\r\n",
       "VERSION-CONTROL /doc HTTP/1.1\r\n", "UPDATEREDIRECTREF /doc HTTP/1.1\r\n",
       "FROBNICATE /x HTTP/1.1\r\n", "purge-all /x HTTP/1.1\r\n", "GET relative HTTP/1.0\r\n",
       "GET /with space HTTP/1.1\r\n", "GET  / HTTP/1.1\r\n", "\r\n\r\nGET / HTTP/1.1\r\n",
       "GET /simple\r\n"});
}

TEST_F(Recognise, HttpRequestsWhoseVersionIsOutOfSight) {
  const std::string long_path(200, 'x');
  expect_tcp(Protocol::http1,
             {"GET /" + long_path, "PROPFIND /" + long_path, "POST http://" + long_path,
              "CONNECT " + long_path + ":443 HTTP/1.1", "GET /cut", "FROBNICATE /" + long_path});
}

TEST_F(Recognise, HttpResponses) {
  expect_tcp(Protocol::http1, {"HTTP/1.1 200 OK\r\n", "HTTP/1.0 404",
                               "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 599", "ICY 200 OK\r\n"});
  expect_tcp(Protocol::unknown,
             {"HTTP/1.1 ", "HTTP/1.1 2", "HTTP/3 200", "HTTP/1.1 abc", "ICY abc"});
}

TEST_F(Recognise, Http2Preface) {
  expect_tcp(Protocol::http2, {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HTTP/2.0\r\n"});
}

TEST_F(Recognise, HoweverManyBlanksStandBeforeTheTarget) {
  for (const std::size_t blanks : {1, 2, 8, 9, 40, 80}) {
    expect_tcp(Protocol::http1, {"GET" + std::string(blanks, ' ') + "/ HTTP/1.1\r\n"});
  }
}

TEST_F(Recognise, RequestTypedByteByByteIsUnknownUntilItsTargetBegins) {
  EXPECT_EQ(bytes_needed("GET / HTTP/1.1\r\n", Protocol::http1), 5U);
  EXPECT_EQ(bytes_needed("CONNECT a.example:443 HTTP/1.1\r\n", Protocol::http1), 19U);
  EXPECT_EQ(bytes_needed("HTTP/1.1 200 OK\r\n", Protocol::http1), 12U);
  EXPECT_EQ(bytes_needed("PRI * HTTP/2.0\r\n\r\n", Protocol::http2), 16U);
}

TEST_F(Recognise, WordsOfOtherTextProtocolsAreNotHttp) {
  expect_tcp(Protocol::unknown, {"OPTIONS sip:bob@example.com SIP/2.0\r\n",
                                 "NOTIFY sip:a SIP/2.0\r\n",
                                 "OPTIONS rtsp://cam/1 RTSP/1.0\r\n",
                                 "DESCRIBE rtsp://cam/1 RTSP/1.0\r\n",
                                 "OPTIONS icap://s/reqmod ICAP/1.0\r\n",
                                 "GET key\r\n",
                                 "SET key value\r\n",
                                 "POST\r\n",
                                 "HEAD <id@example>\r\n",
                                 "CONNECT\naccept-version:1.2\n",
                                 "CONNECT {\"a\":1}\r\n",
                                 "PUT 1 2 3\r\n",
                                 "get / http\r\n",
                                 "get /index.html\r\n",
                                 "EHLO example.com\r\n",
                                 "USER anonymous\r\n",
                                 "+OK POP3 ready\r\n",
                                 "* OK IMAP4rev1\r\n",
                                 "a1 LOGIN / secret\r\n",
                                 "220 ftp.example FTP\r\n",
                                 "NICK bob\r\nUSER b / * :x\r\n",
                                 "SELECT 1\r\n",
                                 "GET",
                                 "G",
                                 "GE",
                                 "GET "});
}

TEST_F(Recognise, TlsHellos) {
  expect_tcp(Protocol::tls, {hex("16 0301 0200 01 0001fc 0303"), hex("16 0303 007a 02 000076 0303"),
                             hex("16 0300 0043 01 00003f 0300"), hex("16 0304 0200 01 0001fc 0303"),
                             hex("16 0301 0001 01 16 0301 0001 00")});
  EXPECT_EQ(bytes_needed(hex("16 0301 0200 01 0001fc 0303"), Protocol::tls), 7U);
}

TEST_F(Recognise, TlsMidstream) {
  expect_tcp(Protocol::tls,
             {hex("17 0303 0030 aabbcc"), hex("17 0301 4000 aabbcc"), hex("14 0303 0001 01"),
              hex("15 0303 0002 02 28"), hex("15 0303 001a 0000"), hex("16 0303 0f00 0b 000efc")});
  expect_tcp(Protocol::unknown,
             {hex("17 0303 4801 aabbcc"), hex("17 0303 5000 aabbcc"), hex("17 0305 0030 aabb"),
              hex("16 0301 ffff 01 00"), hex("15 0303 0002 03 28"), hex("14 0303 0002 01"),
              hex("17 0303 0000 00")});
}

TEST_F(Recognise, Ssl2ClientHello) {
  expect_tcp(Protocol::tls, {hex("802e 01 0002 0015 0000 0010 010080"),
                             hex("8067 01 0301 004e 0000 0010 010080")});
  expect_tcp(Protocol::unknown,
             {hex("802e 01 0002 0015 0001 0010 01"), hex("802e 04 0002 0015 0000 0010")});
}

// a.example, type A
const std::string kQuestion = hex("01 61 07") + "example" + hex("00 0001 0001");

TEST_F(Recognise, DnsMessages) {
  expect_udp(Protocol::dns, {hex("1234 0100 0001 0000 0000 0000") + kQuestion,
                             hex("1234 0120 0001 0000 0000 0001") + kQuestion,
                             hex("1234 8180 0001 0002 0000 0001") + kQuestion,
                             hex("1234 8583 0001 0000 0001 0000") + kQuestion,
                             hex("0000 0000 0001 0000 0000 0000") + kQuestion,
                             hex("1234 0100 0001 0000 0000 0000 00 0002 0001"),   // NS of the root
                             hex("1234 0000 0001 0000 0001 0000") + kQuestion});  // IXFR
  expect_tcp(Protocol::dns, {hex("001b 1234 0100 0001 0000 0000 0000") + kQuestion,
                             hex("0211 1234 8180 0001 0002 0000 0001") + kQuestion});
  EXPECT_EQ(bytes_needed(hex("001b 1234 0100 0001 0000 0000 0000") + kQuestion, Protocol::dns),
            16U);
}

TEST_F(Recognise, ShapesThatAreNotDns) {
  expect_udp(Protocol::unknown,
             {hex("1234 0100 0001 0000 0000 0000 40") + "too long a label",
              hex("1234 2800 0001 0000 0000 0000") + kQuestion,  // opcode 5
              hex("1234 0140 0001 0000 0000 0000") + kQuestion,  // reserved bit
              hex("1234 0100 0000 0000 0000 0000") + kQuestion,  // no question
              hex("1234 0100 0002 0000 0000 0000") + kQuestion,
              hex("1234 0100 0001 0001 0000 0000") + kQuestion,  // a query with an answer
              hex("1234 0110 0001 0000 0000 0000 20") + std::string(32, 'A') + hex("00 0020 0001"),
              hex("1234 0100 0001")});
  EXPECT_EQ(tcp(hex("1234 0100 0001 0000 0000 0000") + kQuestion), Protocol::unknown);
  EXPECT_EQ(
      classifier_
          .recognise(as_bytes(hex("1234 0100 0001 0000 0000 0000") + kQuestion), Transport::none)
          .protocol,
      Protocol::unknown);
}

TEST_F(Recognise, WhoSpeaks) {
  const auto speaker = [&](const std::string& bytes) {
    return classifier_.recognise(as_bytes(bytes), Transport::tcp).speaker;
  };
  EXPECT_EQ(speaker("GET / HTTP/1.1\r\n"), Speaker::client);
  EXPECT_EQ(speaker("HTTP/1.1 200 OK\r\n"), Speaker::server);
  EXPECT_EQ(speaker(hex("1603010200 010001fc 0303")), Speaker::client);
  EXPECT_EQ(speaker(hex("1603030050 0200004c 0303")), Speaker::server);
  EXPECT_EQ(speaker(hex("1703030100 00112233")), Speaker::either);
  EXPECT_EQ(speaker("*1\r\n$4\r\nPING\r\n"), Speaker::either)
      << "a master sends commands to its replica, which has called it";
}

TEST_F(Recognise, Databases) {
  const std::string mysql = hex("4a000000 0a") + "5.7.30-log\0"s + hex("0b000000 3d4b5a01");
  const std::string pgsql_ssl = hex("00000008 04d2162f");
  const std::string pgsql_startup = hex("00000029 00030000") + "user\0bob\0database\0shop\0\0"s;
  expect_tcp(Protocol::mysql, {mysql, hex("09000000 03") + "select 1"});
  expect_tcp(Protocol::postgres,
             {pgsql_ssl, pgsql_startup, hex("00000008 04d21630"),
              hex("00000010 04d2162e 00000001 00000002"), "Q" + hex("0000000d") + "select 1\0"s});
  expect_tcp(Protocol::redis, {"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n", "PING\r\n"});
  expect_tcp(Protocol::memcached,
             {"get key\r\n", "gets a b c\r\n", "set key 0 60 5\r\nvalue\r\n", "version\r\n",
              "mg key v\r\n", "mn\r\n", hex("80 00 0003 00 00 0000 00000003 00000001"),
              hex("80 0a 0000 00 00 0000 00000000 00000001"),
              hex("80 01 0003 08 00 0000 00000010 00000001"),
              hex("80 15 0003 14 00 0000 00000017 00000001"),
              hex("80 1d 0003 04 00 0000 00000007 00000001"),
              hex("80 08 0000 04 00 0000 00000004 00000001")});
  // Commands of memcached without the extras that they have
  expect_tcp(Protocol::unknown, {hex("80 02 0002 00 00 0053 0000000d 00006260"),
                                 hex("80 00 0003 08 00 0000 0000000b 00000001"),
                                 hex("80 15 0003 08 00 0000 0000000b 00000001"),
                                 hex("80 1f 0003 00 00 0000 00000003 00000001")});
}

TEST_F(Recognise, DatabaseConnectionsThatOnlyExecuteWhatWasPreparedBefore) {
  const std::string rest = hex("0000 0001 0000 0001 37 0000 45 00000009 00 00000000");
  const std::string long_name = "stmtcache_0123456789abcdef0123456789abcdef";
  expect_tcp(Protocol::postgres,
             {"B" + hex("00000013 00") + "s1\0"s + rest,
              "B" + hex("00000040 00") + long_name + "\0"s + rest,
              // answers: a row, the end, no description, an error
              hex("32 00000004 44 0000000b 0001"), hex("32 00000004 43 0000000d") + "SELECT 1\0"s,
              hex("32 00000004 6e 00000004 44"), hex("32 00000004 45 00000040 53")});
  expect_tcp(Protocol::mysql,
             {hex("0e000000 17 01000000 00 01000000 00 01 08"),
              hex("0e000000 17 01000000 08 01000000 00 01 08"),  // parameters counted
              hex("0a000000 17 ffffffff 00 01000000")});
}

TEST_F(Recognise, WhatOnlyLooksLikeAnExecuteIsUnknown) {
  expect_tcp(Protocol::unknown,
             {"B" + hex("00000013 00 00 0000 0001"),           // no statement's name
              "B" + hex("41000013 00") + "s1\0\0"s,            // a gigabyte
              "B" + hex("00000013 00") + "s1" + hex("07 00"),  // not a name
              hex("32 00000005 44 0000000b"), hex("32 00000004 7a 0000000b"),
              hex("0e000001 17 01000000 00 01000000"),  // not the first packet of a command
              hex("0e000000 17 01000000 00 02000000"), hex("0e000000 17 01000000 13 01000000")});
}

TEST_F(Recognise, OtherProtocolsAreUnknown) {
  const std::string mongo = hex("3a000000 01000000 00000000 d4070000 00000000") + "admin.$cmd\0"s;
  const std::string tds = hex("1201 0034 0000 0000 0000 1500 0601 001b");
  const std::string rdp = hex("0300 0013 0ee0 0000 0000 0001 0008 0003 0000 00");
  const std::string smb = hex("00000054 ff534d42 72000000 0018");
  const std::string kafka = hex("00000023 0012 0003 00000001 0009") + "consumer1";
  const std::string bittorrent = hex("13") + "BitTorrent protocol" + std::string(8, '\0');
  expect_tcp(Protocol::unknown, {mongo, tds, rdp, smb, kafka, bittorrent, "+PONG\r\n",
                                 "-ERR unknown\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
                                 hex("80 0000 28 72fe1d13 00000000 00000002 000186a3"),  // ONC RPC
                                 hex("30 84 00000010 02 01 01 60"),                      // LDAP
                                 hex("10 1a 0004 4d515454 04 02 003c"),                  // MQTT
                                 std::string(64, '\0'), std::string(64, '\xff'), ""});

  const std::string quic =
      hex("c3 00000001 08 0011223344556677 00 00 449e") + std::string(40, '\x5a');
  const std::string ntp = hex("23 02 0a ec 00000b3b 00000c1f c0248f96");
  const std::string snmp = hex("30 29 02 01 01 04 06") + "public" + hex("a0 1c");
  const std::string dhcp = hex("01 01 06 00 3903f326 0000 0000") + std::string(40, '\0');
  const std::string stun = hex("0001 0000 2112a442 0123456789abcdef01234567");
  const std::string rtp = hex("80 60 1a2b 00001234 deadbeef") + std::string(40, '\x7e');
  expect_udp(Protocol::unknown, {quic, ntp, snmp, dhcp, stun, rtp, "M-SEARCH * HTTP/1.1\r\n",
                                 std::string(64, '\0'), std::string(64, '\xff'), ""});
}

TEST_F(Recognise, DtlsRecords) {
  // a ClientHello of DTLS 1.2, its first flight of DTLS 1.0, encrypted data, a record with a
  // connection ID (RFC 9146)
  expect_udp(Protocol::dtls,
             {hex("16 feff 0000 000000000000 00b6 01 0000aa 0000 000000 0000aa fefd"),
              hex("16 feff 0000 000000000001 0010 01"),
              hex("17 fefd 0001 000000000007 0030") + std::string(48, '\x5a'),
              hex("19 fefd 0001 000000000002 c1c2c3c4 0020") + std::string(32, '\x5a')});
  // another version, a record that is too long, a sequence number nobody reaches, a TLS record
  expect_udp(Protocol::unknown, {hex("16 fefc 0000 000000000000 00b6"), hex("16 feff 0000 00"),
                                 hex("16 feff 0000 000000000000 ffff"),
                                 hex("16 feff 0000 ff0000000000 00b6"), hex("16 0301 00b6 01 00")});
  expect_tcp(Protocol::unknown, {hex("16 feff 0000 000000000000 00b6 01 0000aa 0000")});
}

TEST_F(Recognise, RandomBytesAreUnknown) {
  std::mt19937_64 random(20240607);
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::uint64_t words[8];
    for (auto& word : words) word = random();
    const std::string_view payload(reinterpret_cast<const char*>(words), sizeof words);
    hits += tcp(payload) != Protocol::unknown;
    hits += udp(payload) != Protocol::unknown;
  }
  EXPECT_LE(hits, 1);  // midstream TLS records: 1.5e-7 of random payloads
}

TEST_F(Recognise, OnlyTheFirst64BytesCount) {
  expect_tcp(Protocol::unknown, {"brew /" + std::string(56, 'x') + " HTTP/1.1\r\n"});
}

}  // namespace
}  // namespace wirelag
