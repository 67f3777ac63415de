// memcached: text, meta and binary; what is answered by silence; holes.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/track/memcached/tracker.hpp>

#include "conversation.hpp"
#include "lost_segments.hpp"

namespace wirelag::testing {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using MemcachedBench = Bench<MemcachedTracker>;

/// A binary message: `head` is the vbucket of a request, the status of a reply.
std::string binary(char magic, int opcode, const std::string& extras, const std::string& key,
                   const std::string& value, int opaque, int head = 0) {
  const std::size_t body = extras.size() + key.size() + value.size();
  const auto byte = [](std::size_t n) { return std::string(1, static_cast<char>(n)); };
  return magic + byte(static_cast<std::size_t>(opcode)) + "\0"s + byte(key.size()) +
         byte(extras.size()) + "\0\0"s + byte(static_cast<std::size_t>(head)) + "\0\0"s +
         byte(body >> 8) + byte(body) + "\0\0\0"s + byte(static_cast<std::size_t>(opaque)) +
         std::string(8, '\0') + extras + key + value;
}
std::string request(int opcode, const std::string& key, int opaque, const std::string& value = "") {
  return binary('\x80', opcode, value.empty() ? "" : std::string(8, '\0'), key, value, opaque);
}
std::string reply(int opcode, int opaque, int status = 0, const std::string& value = "") {
  return binary('\x81', opcode, "", "", value, opaque, status);
}

TEST(Memcached, text_commands) {
  MemcachedBench b;
  EXPECT_THAT(
      b.play({client(1, "set user:12:name 0 60 6\r\nsecret\r\nget user:12:name other\r\n"),
              server(2, "STORED\r\nVALUE user:12:name 0 6\r\nsec"),
              server(3, "ret\r\nVALUE other 0 0\r\n\r\nEND\r\n"), client(4, "get nothing\r\n"),
              server(5, "END\r\n"), client(6, "incr n 5\r\n"), server(7, "12\r\n"),
              client(8, "stats items\r\n"), server(9, "STAT a 1\r\nSTAT b 2\r\nEND\r\n"),
              client(10, "bogus\r\n"), server(11, "ERROR\r\n"), client(12, "gat 60 k1\r\n"),
              server(13, "END\r\n"), client(14, "quit\r\n")}),
      ElementsAre(
          "set user:?:name -> frames 1-1 2-2 wait 1ms",
          "get user:?:name -> frames 1-1 2-3 wait 1ms rows 2 depth 2",
          "get nothing -> frames 4-4 5-5 wait 1ms rows 0", "incr n -> frames 6-6 7-7 wait 1ms",
          "stats -> frames 8-8 9-9 wait 1ms", "bogus -> frames 10-10 11-11 wait 1ms error ERROR",
          "gat ? -> frames 12-12 13-13 wait 1ms rows 0", "quit -> frames 14-14 0-0 no-reply"));
  EXPECT_THAT(b.sink.texts, Not(HasSubstr("secret")));
  EXPECT_TRUE(b.all_given_back());
}

TEST(Memcached, noreply_is_not_waited_for) {
  MemcachedBench b;
  EXPECT_THAT(
      b.play({client(1, "set a 0 0 1 noreply\r\nx\r\nget a\r\ndelete a noreply\r\nget b\r\n"),
              server(2, "VALUE a 0 1\r\nx\r\nEND\r\n"), server(3, "END\r\n")}),
      ElementsAre("set a -> frames 1-1 0-0 no-reply", "get a -> frames 1-1 2-2 wait 1ms rows 1",
                  "delete a -> frames 1-1 0-0 depth 2 no-reply",
                  "get b -> frames 1-1 3-3 wait 2ms rows 0 depth 3"));
}

TEST(Memcached, meta_commands_and_their_silence) {
  MemcachedBench b;
  EXPECT_THAT(
      b.play({client(1, "mg miss v q k\r\nmg hit v q k\r\nms key1 2 q\r\nhi\r\nmn\r\n"),
              server(2, "VA 3 khit\r\nabc\r\nMN\r\n"), client(3, "md key1\r\n"),
              server(4, "HD\r\n")}),
      ElementsAre("mg miss -> frames 1-1 0-0 no-reply",
                  "mg hit -> frames 1-1 2-2 wait 1ms rows 1 depth 2",
                  "ms ? -> frames 1-1 0-0 depth 3 no-reply",
                  "mn -> frames 1-1 2-2 wait 1ms depth 4", "md ? -> frames 3-3 4-4 wait 1ms"));
}

TEST(Memcached, binary_commands_and_their_silence) {
  MemcachedBench b;
  EXPECT_THAT(
      b.play({client(1, request(0x01, "k1", 1, "v")), server(2, reply(0x01, 1)),
              client(3, request(0x09, "a", 2) + request(0x09, "b", 3) + request(0x0a, "", 4)),
              server(4, reply(0x09, 3, 0, "value") + reply(0x0a, 4)),
              client(5, request(0x00, "c", 5)), server(6, reply(0x00, 5, 1, "Not found")),
              client(7, request(0x05, "c", 6)), server(8, reply(0x05, 6, 6, "Non-numeric")),
              client(9, request(0x10, "", 7)),
              server(10, reply(0x10, 7, 0, "1") + reply(0x10, 7, 0, "2")),
              server(11, reply(0x10, 7))}),
      ElementsAre(
          "set ? -> frames 1-1 2-2 wait 1ms", "get a -> frames 3-3 0-0 no-reply",
          "get b -> frames 3-3 4-4 wait 1ms rows 1 depth 2",
          "noop -> frames 3-3 4-4 wait 1ms depth 3", "get c -> frames 5-5 6-6 wait 1ms rows 0",
          "incr c -> frames 7-7 8-8 wait 1ms error 6", "stats -> frames 9-9 10-11 wait 1ms"));
  EXPECT_TRUE(b.all_given_back());
}

TEST(Memcached, midstream_and_holes) {
  MemcachedBench b;
  EXPECT_THAT(
      b.play({client(1, "get a\r\n"), server(2, "END\r\n"), client(3, "get b\r\n"),
              server(4, "VALUE b 0 2000\r\nxx"), server_hole(1990),
              server(5, "xxxxxxxx\r\nEND\r\n"), client(6, "get c\r\nget d\r\n"), server_hole(9),
              server(7, "END\r\n"), client(8, "get e\r\n"), server(9, "END\r\n")},
             /*from_start=*/false),
      ElementsAre("get a -> frames 1-1 2-2 wait 1ms rows 0",
                  "get b -> frames 3-3 4-5 wait 1ms rows 1",
                  "get c -> frames 6-6 0-0 resynchronised",
                  "get d -> frames 6-6 0-0 depth 2 resynchronised",
                  "get e -> frames 8-8 9-9 wait 1ms rows 0 resynchronised"));
}

Script everything() {
  return {client(1, "set user:12 0 60 6\r\nsecret\r\nget user:12 other\r\nmg miss v q\r\nmn\r\n"),
          server(2, "STORED\r\nVALUE user:12 0 6\r\nsecret\r\nEND\r\n"),
          server(3, "MN\r\n"),
          client(4, request(0x09, "a", 2) + request(0x01, "k", 3, "v") + request(0x0a, "", 4)),
          server(5, reply(0x01, 3) + reply(0x0a, 4)),
          client(6, "delete x noreply\r\nincr n 1\r\n"),
          server(7, "CLIENT_ERROR cannot increment\r\n")};
}

TEST(Memcached, data_cut_to_the_segments_end_is_complete_where_nothing_else_can_follow) {
  const std::string begin = "VALUE a 0 100\r\n" + std::string(20, 'x');
  const Script other = {client(3, "get b\r\n"), server(4, "END\r\n")};
  const auto played = [&](const std::string& request, std::uint64_t missing) {
    Script script = {client(1, request), server(2, begin), server_cut(2, missing)};
    script.insert(script.end(), other.begin(), other.end());
    MemcachedBench b;
    b.play(script);
    return b.sink.lines;
  };
  const std::string next = "get b -> frames 3-3 4-4 wait 1ms rows 0";
  EXPECT_THAT(played("get a\r\n", 80 + 2 + 5),
              ElementsAre("get a -> frames 1-1 2-2 wait 1ms rows 1", next));
  // Of two keys another value may have followed.
  EXPECT_THAT(played("get a c\r\n", 80 + 2 + 5),
              ElementsAre("get a -> frames 1-1 0-0 resynchronised", next + " resynchronised"));
  EXPECT_THAT(played("get a\r\n", 80 + 2 + 6),
              ElementsAre("get a -> frames 1-1 0-0 resynchronised", next + " resynchronised"));

  MemcachedBench b;
  EXPECT_THAT(b.play({client(1, "set a 0 0 100\r\n" + std::string(20, 'x')), client_cut(1, 82),
                      server(2, "STORED\r\n")}),
              ElementsAre("set a -> frames 1-1 2-2 wait 1ms"));
}

TEST(Memcached, however_the_bytes_are_cut) {
  EXPECT_EQ(differs_when_cut<MemcachedBench>(everything()), "");
}

TEST(Memcached, survives_damage) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    Script script = everything();
    for (int i = 0; i < 3; ++i) {
      std::string& bytes = script[random() % script.size()].bytes;
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (round % 2 == 0) script.insert(script.begin() + 2, server_hole(random() % 50));
    MemcachedBench b;
    b.play(script);
    ASSERT_TRUE(b.all_given_back());
  }
}

TEST(Memcached, pairs_nothing_wrong_whatever_is_missing) {
  const Dialogue dialogue{{},
                          [](int n, std::mt19937&) { return fmt::format("get k{}\r\n", n); },
                          [](int n, std::mt19937& random) {
                            const std::size_t size = random() % 300;
                            if (random() % 4 == 0) return "END\r\n"s;
                            return fmt::format("VALUE k{} 0 {}\r\n{}\r\nEND\r\n", n, size,
                                               std::string(size, 'x'));
                          }};
  expect_no_wrong_pair<MemcachedBench>(dialogue, 4, 5000);
}

}  // namespace
}  // namespace wirelag::testing
