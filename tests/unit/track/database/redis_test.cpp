// Redis: commands paired with replies, what is pushed, what is silent, holes, and that a password
// is never seen again.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/track/redis/tracker.hpp>

#include "conversation.hpp"
#include "lost_segments.hpp"

namespace wirelag::testing {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using RedisBench = Bench<RedisTracker>;

/// A command as an array of bulk strings.
std::string resp(const std::vector<std::string>& arguments) {
  std::string out = fmt::format("*{}\r\n", arguments.size());
  for (const std::string& a : arguments) out += fmt::format("${}\r\n{}\r\n", a.size(), a);
  return out;
}

TEST(Redis, pairs_a_pipeline_in_order_and_strips_keys) {
  RedisBench b;
  EXPECT_THAT(b.play({client(1, resp({"set", "user:1000:name", "Ann"}) + resp({"GET", "cart:a9f"}) +
                                    resp({"GET", "plain"})),
                      server(3, "+OK\r\n$2\r\nhi\r\n"), server(4, "$-1\r\n")}),
              ElementsAre("SET user:?:name -> frames 1-1 3-3 wait 2ms",
                          "GET cart:? -> frames 1-1 3-3 wait 2ms depth 2",
                          "GET plain -> frames 1-1 4-4 wait 3ms depth 3"));
  EXPECT_EQ(b.sink.bytes, "43/5 27/8 24/5 ");
  EXPECT_TRUE(b.all_given_back());
}

TEST(Redis, shows_transactions_and_errors) {
  RedisBench b;
  EXPECT_THAT(
      b.play({client(1, resp({"MULTI"})), server(2, "+OK\r\n"), client(3, resp({"INCR", "n"})),
              server(4, "+QUEUED\r\n"), client(5, resp({"EXEC"})), server(6, "*1\r\n:1\r\n"),
              client(7, resp({"LPOP", "n"})), server(8, "-WRONGTYPE Operation against\r\n"),
              client(9, resp({"GET", "x"})), server(10, "-MOVED 3999 127.0.0.1:6381\r\n")}),
      ElementsAre("MULTI -> frames 1-1 2-2 wait 1ms in-transaction",
                  "INCR n -> frames 3-3 4-4 wait 1ms in-transaction",
                  "EXEC -> frames 5-5 6-6 wait 1ms rows 1 in-transaction",
                  "LPOP n -> frames 7-7 8-8 wait 1ms error WRONGTYPE",
                  "GET x -> frames 9-9 10-10 wait 1ms error MOVED"));
}

TEST(Redis, reads_nested_values_of_resp3) {
  RedisBench b;
  EXPECT_THAT(
      b.play(
          {client(1, resp({"HGETALL", "h"}) + resp({"XRANGE", "s", "-", "+"}) + resp({"PING"})),
           server(2, "|1\r\n+ttl\r\n:3600\r\n%2\r\n+a\r\n,1.5\r\n+b\r\n*2\r\n#t\r\n_\r\n"),
           server(3, "*2\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n*2\r\n+2-0\r\n*0\r\n"),
           server(4, "+PONG\r\n")}),
      ElementsAre("HGETALL h -> frames 1-1 2-2 wait 1ms",
                  "XRANGE s -> frames 1-1 3-3 wait 2ms rows 2 depth 2",
                  "PING -> frames 1-1 4-4 wait 3ms depth 3"));
}

TEST(Redis, pushes_answer_nothing) {
  RedisBench b;
  EXPECT_THAT(
      b.play({client(1, resp({"GET", "a"})),
              server(2, ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nb\r\n$1\r\nx\r\n"),
              client(3, resp({"SUBSCRIBE", "one", "two"})),
              server(4, "*3\r\n$9\r\nsubscribe\r\n$3\r\none\r\n:1\r\n"),
              server(5, "*3\r\n$9\r\nsubscribe\r\n$3\r\ntwo\r\n:2\r\n"),
              server(6, "*3\r\n$7\r\nmessage\r\n$3\r\none\r\n$2\r\nhi\r\n"),
              client(7, resp({"PING"})),
              server(8, "*3\r\n$7\r\nmessage\r\n$3\r\none\r\n$2\r\nho\r\n"),
              server(9, "*2\r\n$4\r\npong\r\n$0\r\n\r\n")}),
      ElementsAre("GET a -> frames 1-1 2-2 wait 1ms", "SUBSCRIBE -> frames 3-3 4-5 wait 1ms rows 3",
                  "PING -> frames 7-7 9-9 wait 2ms rows 2"));
  EXPECT_EQ(b.counters.of(Counter::database_pushes), 3U);
  EXPECT_EQ(b.counters.of(Counter::database_replies_unpaired), 0U);
}

TEST(Redis, monitor_shows_what_others_do) {
  RedisBench b;
  EXPECT_THAT(b.play({client(1, "MONITOR\r\n"), server(2, "+OK\r\n"),
                      server(3, "+1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\"\r\n")}),
              ElementsAre("MONITOR -> frames 1-1 2-2 wait 1ms"));
  EXPECT_EQ(b.counters.of(Counter::database_pushes), 1U);
}

TEST(Redis, blocking_commands_are_marked) {
  RedisBench b;
  EXPECT_THAT(
      b.play({client(1, resp({"BLPOP", "queue", "0"})),
              server(900, "*2\r\n$5\r\nqueue\r\n$1\r\nj\r\n"),
              client(901, resp({"XREAD", "COUNT", "1", "BLOCK", "500", "STREAMS", "s", "$"})),
              server(1401, "*-1\r\n")}),
      ElementsAre("BLPOP queue -> frames 1-1 900-900 wait 899ms rows 2 waits",
                  "XREAD -> frames 901-901 1401-1401 wait 500ms waits"));
}

TEST(Redis, silence_that_the_client_asked_for) {
  RedisBench b;
  EXPECT_THAT(
      b.play({client(1, resp({"CLIENT", "REPLY", "SKIP"})), client(2, resp({"SET", "a", "1"})),
              client(3, resp({"GET", "a"})), server(4, "$1\r\n1\r\n"),
              client(5, resp({"CLIENT", "REPLY", "OFF"})), client(6, resp({"GET", "a"})),
              client(7, resp({"CLIENT", "REPLY", "ON"})), server(8, "+OK\r\n")}),
      ElementsAre("CLIENT REPLY -> frames 1-1 0-0 no-reply", "SET a -> frames 2-2 0-0 no-reply",
                  "GET a -> frames 3-3 4-4 wait 1ms", "CLIENT REPLY -> frames 5-5 0-0 no-reply",
                  "GET a -> frames 6-6 0-0 no-reply", "CLIENT REPLY -> frames 7-7 8-8 wait 1ms"));
}

TEST(Redis, never_keeps_a_secret) {
  RedisBench b;
  EXPECT_THAT(
      b.play({client(1, resp({"AUTH", "s3cret"})), server(2, "+OK\r\n"),
              client(3, resp({"AUTH", "ann", "s3cret"})), server(4, "+OK\r\n"),
              client(5, resp({"HELLO", "3", "AUTH", "bob", "s3cret"})),
              server(6, "%1\r\n+a\r\n+b\r\n"), client(7, "AUTH s3cret\r\n"),
              server(8, "-WRONGPASS invalid\r\n"),
              client(9, resp({"CONFIG", "SET", "requirepass", "s3cret"})), server(10, "+OK\r\n"),
              client(11, resp({"MIGRATE", "h", "6379", "k", "0", "9", "AUTH", "s3cret"})),
              server(12, "+OK\r\n"), client(13, resp({"SELECT", "2"})), server(14, "+OK\r\n")}),
      ElementsAre("AUTH -> frames 1-1 2-2 wait 1ms login 1",
                  "AUTH -> frames 3-3 4-4 wait 1ms login 1 user=ann",
                  "HELLO -> frames 5-5 6-6 wait 1ms login 1 user=bob",
                  "AUTH -> frames 7-7 8-8 wait 1ms error WRONGPASS login 1 user=bob",
                  "CONFIG SET -> frames 9-9 10-10 wait 1ms user=bob",
                  "MIGRATE -> frames 11-11 12-12 wait 1ms user=bob",
                  "SELECT -> frames 13-13 14-14 wait 1ms user=bob database=2"));
  EXPECT_THAT(b.sink.texts, Not(HasSubstr("s3cret")));
}

TEST(Redis, goes_on_within_a_value_that_has_a_hole) {
  RedisBench b;
  EXPECT_THAT(
      b.play({client(1, resp({"GET", "a"}) + resp({"GET", "b"})), server(2, "$2000\r\nxxxx"),
              server_hole(1000), server(4, std::string(996, 'x') + "\r\n$1\r\nb\r\n")}),
      ElementsAre("GET a -> frames 1-1 2-4 wait 1ms", "GET b -> frames 1-1 4-4 wait 3ms depth 2"));
  EXPECT_EQ(b.sink.bytes, "20/2009 20/7 ");
}

TEST(Redis, after_a_hole_only_what_is_certain_is_paired) {
  // GIVEN three requests in flight of which some replies are lost
  RedisBench b;
  const auto lines =
      b.play({client(1, resp({"GET", "a"}) + resp({"GET", "b"}) + resp({"GET", "c"})),
              server_hole(14), server(3, "$1\r\nc\r\n"), client(4, resp({"GET", "d"})),
              server(5, "$1\r\nd\r\n"), client(6, resp({"GET", "e"})), server(7, "$1\r\ne\r\n")});
  // THEN none of the three is answered, and the next turn is paired again
  EXPECT_THAT(lines, ElementsAre("GET a -> frames 1-1 0-0 resynchronised",
                                 "GET b -> frames 1-1 0-0 depth 2 resynchronised",
                                 "GET c -> frames 1-1 0-0 depth 3 resynchronised",
                                 "GET d -> frames 4-4 5-5 wait 1ms resynchronised",
                                 "GET e -> frames 6-6 7-7 wait 1ms"));
  EXPECT_EQ(b.counters.of(Counter::database_replies_unpaired), 1U);
}

TEST(Redis, a_lost_command_does_not_shift_the_answers) {
  RedisBench b;
  EXPECT_THAT(
      b.play({client(1, resp({"GET", "a"})), server(2, "$1\r\na\r\n"), client_hole(23),
              client(4, resp({"GET", "c"})), server(5, "$1\r\nb\r\n"), server(6, "$1\r\nc\r\n"),
              client(7, resp({"GET", "d"})), server(8, "$1\r\nd\r\n")}),
      ElementsAre("GET a -> frames 1-1 2-2 wait 1ms", "GET c -> frames 4-4 0-0 resynchronised",
                  "GET d -> frames 7-7 8-8 wait 1ms resynchronised"));
}

TEST(Redis, a_value_that_the_snaplen_cuts_has_the_time_of_its_end) {
  RedisBench b;
  EXPECT_THAT(b.play({client(1, resp({"GET", "a"})), server(2, "$2000\r\nxxxx"), server_cut(2, 996),
                      server_cut(4, 1000), server(4, "\r\n"), client(6, resp({"GET", "b"})),
                      server(7, "$1\r\nb\r\n")}),
              ElementsAre("GET a -> frames 1-1 2-4 wait 1ms", "GET b -> frames 6-6 7-7 wait 1ms"));
}

TEST(Redis, midstream_replies_do_not_shift_the_answers) {
  RedisBench b;
  EXPECT_THAT(b.play({client(1, resp({"GET", "a"}) + resp({"GET", "b"})), server(2, "$1\r\n?\r\n"),
                      server(3, "$1\r\n?\r\n$1\r\n?\r\n"), client(4, resp({"GET", "c"})),
                      server(5, "$1\r\nc\r\n")},
                     /*from_start=*/false),
              ElementsAre("GET a -> frames 1-1 0-0 resynchronised",
                          "GET b -> frames 1-1 0-0 depth 2 resynchronised",
                          "GET c -> frames 4-4 5-5 wait 1ms"));
}

/// What waits behind a hole is handed over late: after what the client sent then.
TEST(Redis, replies_that_come_late_pipeline_nothing) {
  RedisBench b;
  const auto get = [](const char* key) { return resp({"GET", key}); };
  EXPECT_THAT(
      b.play({client(1, get("a") + get("b")), client(5, get("c")), client(7, get("d") + get("e")),
              server(2, "+a\r\n"), server(3, "+b\r\n"), client(8, get("f")), server(6, "+c\r\n"),
              server(9, "+d\r\n"), client(10, get("g")), server(11, "+e\r\n+f\r\n+g\r\n")}),
      ElementsAre("GET a -> frames 1-1 2-2 wait 1ms", "GET b -> frames 1-1 3-3 wait 2ms depth 2",
                  "GET c -> frames 5-5 6-6 wait 1ms", "GET d -> frames 7-7 9-9 wait 2ms",
                  "GET e -> frames 7-7 11-11 wait 4ms depth 2",
                  "GET f -> frames 8-8 11-11 wait 3ms depth 3",
                  "GET g -> frames 10-10 11-11 wait 1ms depth 3"));
}

TEST(Redis, a_reply_that_is_cut_off_is_incomplete) {
  RedisBench b;
  EXPECT_THAT(
      b.play({client(1, resp({"GET", "a"}) + resp({"GET", "b"})), server(2, "$100\r\nxx")}),
      ElementsAre("GET a -> frames 1-1 2-2 wait 1ms cut", "GET b -> frames 1-1 0-0 depth 2"));
}

TEST(Redis, does_not_follow_a_replica) {
  RedisBench b;
  const auto h = b.tracker.open({1, {}, {}});
  b.step(h, client(1, resp({"PSYNC", "?", "-1"})));
  EXPECT_EQ(b.tracker.interest(h), StreamInterest::nothing);
  b.tracker.close(h);
  EXPECT_EQ(b.counters.of(Counter::database_not_followed), 1U);
}

TEST(Redis, limits_are_counted_and_keep_the_order) {
  RedisBench b({1, 8, 1});  // two open requests for one connection
  const auto h = b.tracker.open({1, {}, {}});
  EXPECT_EQ(b.tracker.open({2, {}, {}}), StreamTracker::kNone);
  b.step(h, client(1, resp({"GET", "a"}) + resp({"GET", "b"}) + resp({"GET", "c"})));
  b.step(h, server(2, "+a\r\n+b\r\n+c\r\n"));
  b.step(h, client(3, resp({"GET", "d"})));
  b.step(h, server(4, "+d\r\n"));
  b.tracker.close(h);
  EXPECT_THAT(b.sink.lines, ElementsAre("GET a -> frames 1-1 2-2 wait 1ms",
                                        "GET b -> frames 1-1 2-2 wait 1ms depth 2",
                                        "GET d -> frames 3-3 4-4 wait 1ms"));
  EXPECT_EQ(b.counters.of(Counter::database_requests_full), 1U);
  EXPECT_EQ(b.counters.of(Counter::database_streams_full), 1U);
}

Script everything() {
  return {client(1, resp({"HELLO", "3", "AUTH", "bob", "pw"})),
          server(2, "%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n"),
          client(3, "PING\r\n" + resp({"MGET", "user:1", "user:2"}) + resp({"SET", "k", ""})),
          server(4, "+PONG\r\n*2\r\n$1\r\na\r\n$-1\r\n>3\r\n+message\r\n+ch\r\n+x\r\n"),
          server(5, "+OK\r\n"),
          client(6, resp({"EVALSHA", "0123abcd", "0"}) + resp({"UNSUBSCRIBE"})),
          server(7, "-NOSCRIPT No matching script\r\n>3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n")};
}

TEST(Redis, a_string_cut_to_the_segments_end_is_complete) {
  RedisBench b;
  EXPECT_THAT(b.play({client(1, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$100\r\n" + std::string(20, 'x')),
                      client_cut(1, 82), server(2, "+OK\r\n"), client(3, resp({"GET", "a"})),
                      server(4, "$100\r\n" + std::string(20, 'x')), server_cut(4, 82),
                      client(5, resp({"GET", "b"})), server(6, "$1\r\nb\r\n")}),
              ElementsAre("SET a -> frames 1-1 2-2 wait 1ms", "GET a -> frames 3-3 4-4 wait 1ms",
                          "GET b -> frames 5-5 6-6 wait 1ms"));
}

TEST(Redis, behind_a_hole_what_has_no_answer_gets_none) {
  RedisBench b;
  EXPECT_THAT(
      b.play({client(1, resp({"GET", "a"})), server_hole(7),
              client(2, "CLIENT REPLY SKIP\r\nPING\r\nECHO a\r\n"), server(3, "$1\r\na\r\n"),
              client(4, resp({"GET", "b"})), server(5, "$1\r\nb\r\n")}),
      ElementsAre("GET a -> frames 1-1 0-0 resynchronised",
                  "CLIENT REPLY -> frames 2-2 0-0 depth 2 no-reply",
                  "PING -> frames 2-2 0-0 depth 3 no-reply",
                  "ECHO -> frames 2-2 0-0 depth 4 resynchronised",
                  "GET b -> frames 4-4 5-5 wait 1ms resynchronised"));
}

TEST(Redis, a_command_whose_name_is_in_a_hole_is_not_told) {
  RedisBench b;
  EXPECT_THAT(
      b.play({client(1, "*2\r\n$3\r\nG"), client_hole(2), client(2, "\r\n$1\r\na\r\n"),
              server(3, "$1\r\na\r\n"), client(4, resp({"GET", "b"})), server(5, "$1\r\nb\r\n")}),
      ElementsAre("GET b -> frames 4-4 5-5 wait 1ms resynchronised"));
}

TEST(Redis, however_the_bytes_are_cut) {
  EXPECT_EQ(differs_when_cut<RedisBench>(everything()), "");
}

TEST(Redis, survives_damage) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    Script script = everything();
    for (int i = 0; i < 3; ++i) {
      std::string& bytes = script[random() % script.size()].bytes;
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    RedisBench b;
    b.play(script);
    ASSERT_TRUE(b.all_given_back());
  }
}

TEST(Redis, pairs_nothing_wrong_whatever_is_missing) {
  const Dialogue dialogue{
      {},
      [](int n, std::mt19937& random) {
        return random() % 3 == 0
                   ? resp({"SET", fmt::format("k{}", n), std::string(random() % 300, 'v')})
                   : resp({"GET", fmt::format("k{}", n)});
      },
      [](int, std::mt19937& random) {
        const std::size_t size = random() % 300;
        return random() % 3 == 0 ? "+OK\r\n"s
                                 : fmt::format("${}\r\n{}\r\n", size, std::string(size, 'x'));
      }};
  expect_no_wrong_pair<RedisBench>(dialogue, 4, 5000);
}

}  // namespace
}  // namespace wirelag::testing
