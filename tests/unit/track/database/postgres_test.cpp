// PostgreSQL: bursts up to ReadyForQuery, prepared statements by name, COPY, logins, encryption,
// holes.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/track/postgres/tracker.hpp>

#include "conversation.hpp"
#include "lost_segments.hpp"

namespace wirelag::testing {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// The statements' table beside the usual.
struct Statements : DatabaseStatements {
  explicit Statements(const DatabaseLimits& limits) : DatabaseStatements(limits, unused()) {}
  static Counters& unused() {
    static Counters counters;
    return counters;
  }
};
using PostgresBench = Bench<PostgresTracker, Statements>;

std::string number(std::size_t n) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift);
  return out;
}
std::string message(char type, const std::string& body) {
  return type + number(body.size() + 4) + body;
}
std::string startup(std::size_t code, const std::string& body) {
  return number(body.size() + 8) + number(code) + body;
}
const std::string kLogin = startup(0x30000, "user\0ann\0database\0shop\0application_name\0x\0\0"s);

std::string query(const std::string& sql) { return message('Q', sql + '\0'); }
std::string parse(const std::string& name, const std::string& sql) {
  return message('P', name + '\0' + sql + '\0' + "\0\0"s);
}
std::string bind(const std::string& name, const std::string& value = "x") {
  return message('B', "\0"s + name + '\0' + "\0\0\0\1"s + number(value.size()) + value + "\0\0"s);
}
const std::string kExecute = message('E', "\0\0\0\0\0"s);
const std::string kSync = message('S', "");
const std::string kFlush = message('H', "");
std::string ready(char status) { return message('Z', std::string(1, status)); }
std::string done(const std::string& tag) { return message('C', tag + '\0'); }
std::string failed(const std::string& state) {
  return message('E', "SERROR\0VERROR\0C"s + state + "\0Mno\0\0"s);
}
const std::string kRow = message('D', "\0\1\0\0\0\1x"s);

TEST(Postgres, logs_in_and_asks) {
  PostgresBench b;
  EXPECT_THAT(
      b.play({client(1, kLogin), server(2, message('R', "\0\0\0\x0aSCRAM-SHA-256\0\0"s)),
              client(3, message('p', "n,,n=,r=s3cret")), server(4, message('R', "\0\0\0\x0br=1"s)),
              client(5, message('p', "c=biws,s3cret")),
              server(6, message('R', "\0\0\0\0"s) + message('S', "a\0b\0"s) + ready('I')),
              client(7, query("SELECT * FROM users WHERE id IN (1, 2) AND name='s3cret' -- x")),
              server(9, message('T', "\0\0"s) + kRow + kRow + done("SELECT 2") + ready('I')),
              client(10, query("BEGIN")), server(11, done("BEGIN") + ready('T')),
              client(12, query("insert into t values (1,2),(3,4)")),
              server(13, failed("23505") + ready('E'))}),
      ElementsAre(
          "startup -> frames 1-1 2-6 wait 1ms login 3 user=ann database=shop",
          "select * from users where id in (?) and name=? -> frames 7-7 9-9 wait 2ms rows 2 "
          "user=ann database=shop",
          "begin -> frames 10-10 11-11 wait 1ms in-transaction user=ann database=shop",
          "insert into t values (?) -> frames 12-12 13-13 wait 1ms error 23505 "
          "failed-transaction user=ann database=shop"));
  EXPECT_THAT(b.sink.texts, Not(HasSubstr("s3cret")));
  EXPECT_TRUE(b.all_given_back());
}

TEST(Postgres, follows_prepared_statements) {
  PostgresBench b;
  EXPECT_THAT(
      b.play(
          {client(1, kLogin), server(2, message('R', "\0\0\0\0"s) + ready('I')),
           client(3, parse("s1", "SELECT a FROM t WHERE id=$1") + message('D', "Ss1\0"s) + kSync),
           server(4, message('1', "") + message('t', "\0\0"s) + ready('I')),
           client(5, bind("s1") + kExecute + kSync),
           server(6, message('2', "") + kRow + done("SELECT 1") + ready('I')),
           client(7, parse("", "update t set a=$1") + bind("") + kExecute + bind("s1") + kExecute +
                         kSync),
           server(8, message('1', "") + done("UPDATE 3") + done("SELECT 1") + ready('I')),
           client(9, message('C', "Ss1\0"s) + kSync), server(10, message('3', "") + ready('I')),
           client(11, bind("s1") + kExecute + kSync), server(12, failed("26000") + ready('I'))}),
      ElementsAre(
          "startup -> frames 1-1 2-2 wait 1ms login 1 user=ann database=shop",
          "select a from t where id=? -> frames 3-3 4-4 wait 1ms statements 0 user=ann "
          "database=shop",
          "select a from t where id=? -> frames 5-5 6-6 wait 1ms rows 1 user=ann database=shop",
          "update t set a=? -> frames 7-7 8-8 wait 1ms rows 4 statements 2 user=ann database=shop",
          "Sync -> frames 9-9 10-10 wait 1ms statements 0 user=ann database=shop",
          "Execute of \"s1\" -> frames 11-11 12-12 wait 1ms error 26000 user=ann database=shop"));
}

const IpAddress kHere = IpAddress::v4(std::array<std::uint8_t, 4>{10, 0, 0, 1}.data());

/// Executions on a connection that was open before the capture, from `client`'s port.
std::vector<DatabaseTransaction> midstream(PostgresBench& b, std::uint16_t port,
                                           const std::vector<std::string>& names) {
  const StreamTracker::Handle h = b.tracker.open({port, {kHere, port}, {}, false});
  std::vector<DatabaseTransaction> all;
  FrameNumber frame = 1;
  b.step(h, client(frame++, query("SELECT 1")));
  b.step(h, server(frame++, done("SELECT 1") + ready('I')));
  for (const std::string& statement : names) {
    b.step(h, client(frame++, bind(statement) + kExecute + kSync));
    b.step(h, server(frame++, message('2', "") + kRow + done("SELECT 1") + ready('I')));
    all.push_back(b.sink.last);
  }
  b.tracker.close(h);
  return all;
}

TEST(Postgres, tells_statements_prepared_before_the_capture_apart_by_name_and_connection) {
  PostgresBench b;
  const auto here = midstream(b, 40000, {"s1", "s2", "s1", ""});
  EXPECT_THAT(b.sink.lines, ElementsAre("select ? -> frames 1-1 2-2 wait 1ms rows 1",
                                        "SELECT of \"s1\" -> frames 3-3 4-4 wait 1ms rows 1",
                                        "SELECT of \"s2\" -> frames 5-5 6-6 wait 1ms rows 1",
                                        "SELECT of \"s1\" -> frames 7-7 8-8 wait 1ms rows 1",
                                        "SELECT of \"\" -> frames 9-9 10-10 wait 1ms rows 1"));
  EXPECT_EQ(here[0].fingerprint_hash, here[2].fingerprint_hash);
  EXPECT_NE(here[0].fingerprint_hash, here[1].fingerprint_hash);
  EXPECT_NE(here[3].fingerprint_hash, 0U);

  // The same name is another statement on another connection.
  const auto there = midstream(b, 40001, {"s1"});
  EXPECT_NE(here[0].fingerprint_hash, there[0].fingerprint_hash);
  EXPECT_TRUE(b.all_given_back());
}

TEST(Postgres, the_verb_of_a_later_statement_is_not_the_first_ones) {
  PostgresBench b;
  EXPECT_THAT(b.play({client(1, query("SELECT 1")), server(2, done("SELECT 1") + ready('I')),
                      client(3, bind("s1") + kExecute + bind("s2") + kExecute + kSync),
                      server(4, message('2', "") + kRow + message('s', "") + message('2', "") +
                                    done("DELETE 4") + ready('I'))},
                     false),
              ElementsAre("select ? -> frames 1-1 2-2 wait 1ms rows 1",
                          "Execute of \"s1\" -> frames 3-3 4-4 wait 1ms rows 4 statements 2"));
}

TEST(Postgres, a_statement_that_is_parsed_again_has_its_text) {
  PostgresBench b;
  EXPECT_THAT(
      b.play({client(1, query("SELECT 1")), server(2, done("SELECT 1") + ready('I')),
              client(3, bind("s1") + kSync), server(4, message('2', "") + ready('I')),
              client(5, bind("s1") + parse("s1", "delete from t") + bind("s1") + kExecute + kSync),
              server(6, message('2', "") + message('1', "") + message('2', "") + done("DELETE 7") +
                            ready('I'))},
             false),
      ElementsAre("select ? -> frames 1-1 2-2 wait 1ms rows 1",
                  "Sync -> frames 3-3 4-4 wait 1ms statements 0",
                  "delete from t -> frames 5-5 6-6 wait 1ms rows 7"));
}

TEST(Postgres, pairs_pipelined_bursts) {
  PostgresBench b;
  EXPECT_THAT(
      b.play({client(1, kLogin), server(2, message('R', "\0\0\0\0"s) + ready('I')),
              client(3, parse("", "select 1") + bind("") + kExecute + kSync + parse("", "oops") +
                            bind("") + kExecute + kSync + query("commit")),
              server(4, message('1', "") + done("SELECT 1") + ready('I')),
              server(5, failed("42601") + ready('I') + done("COMMIT")), server(6, ready('I'))}),
      ElementsAre("startup -> frames 1-1 2-2 wait 1ms login 1 user=ann database=shop",
                  "select ? -> frames 3-3 4-4 wait 1ms rows 1 user=ann database=shop",
                  "oops -> frames 3-3 5-5 wait 2ms error 42601 user=ann database=shop depth 2",
                  "commit -> frames 3-3 5-6 wait 2ms user=ann database=shop depth 3"));
}

TEST(Postgres, flush_ends_a_burst_only_when_its_answer_is_awaited) {
  PostgresBench b;
  EXPECT_THAT(b.play({client(1, kLogin), server(2, message('R', "\0\0\0\0"s) + ready('I')),
                      client(3, parse("", "select 1") + kFlush), server(4, message('1', "")),
                      client(5, bind("") + kExecute + kFlush), client(6, kSync),
                      server(7, message('2', "") + done("SELECT 1") + ready('I'))}),
              ElementsAre("startup -> frames 1-1 2-2 wait 1ms login 1 user=ann database=shop",
                          "select ? -> frames 3-3 4-4 wait 1ms statements 0 user=ann database=shop",
                          "select ? -> frames 5-6 7-7 wait 1ms rows 1 user=ann database=shop"));
}

TEST(Postgres, data_of_copy_belongs_to_its_burst) {
  PostgresBench b;
  EXPECT_THAT(
      b.play({client(1, kLogin), server(2, message('R', "\0\0\0\0"s) + ready('I')),
              client(3, query("COPY t FROM STDIN")), server(4, message('G', "\0\0\0"s)),
              client(5, message('d', "1\n")), client(6, message('d', "2\n") + message('c', "")),
              server(7, done("COPY 2") + ready('I'))}),
      ElementsAre("startup -> frames 1-1 2-2 wait 1ms login 1 user=ann database=shop",
                  "copy t from stdin -> frames 3-3 4-7 wait 1ms rows 2 user=ann database=shop"));
}

TEST(Postgres, encryption_is_handed_on) {
  PostgresBench b;
  const auto h = b.tracker.open({1, {}, {}});
  b.step(h, client(1, startup(80877103, "")));
  EXPECT_EQ(b.tracker.interest(h), StreamInterest::bytes);
  b.step(h, server(2, "S"));
  EXPECT_EQ(b.tracker.interest(h), StreamInterest::other_protocol);
  b.tracker.close(h);
  EXPECT_THAT(b.sink.lines, ElementsAre("SSLRequest -> frames 1-1 2-2 wait 1ms"));
  PostgresBench refused;
  EXPECT_THAT(refused.play({client(1, startup(80877103, "")), server(2, "N"), client(3, kLogin),
                            server(4, failed("28P01")), server_fin(5)}),
              ElementsAre("SSLRequest -> frames 1-1 2-2 wait 1ms",
                          "startup -> frames 3-3 4-4 wait 1ms error 28P01 login 1 user=ann "
                          "database=shop"));
}

TEST(Postgres, a_request_to_cancel_has_no_answer) {
  PostgresBench b;
  EXPECT_THAT(b.play({client(1, startup(80877102, "\0\0\0\1\0\0\0\2"s)), server_fin(2)}),
              ElementsAre("CancelRequest -> frames 1-1 0-0 no-reply"));
}

TEST(Postgres, what_comes_out_of_turn_answers_nothing) {
  PostgresBench b;
  EXPECT_THAT(
      b.play({client(1, kLogin), server(2, message('R', "\0\0\0\0"s) + ready('I')),
              server(3, message('A', "\0\0\0\1ch\0\0"s)), client(4, query("select 1")),
              server(5, message('N', "SNOTICE\0\0"s)), server(6, done("SELECT 1") + ready('I'))}),
      ElementsAre("startup -> frames 1-1 2-2 wait 1ms login 1 user=ann database=shop",
                  "select ? -> frames 4-4 6-6 wait 2ms rows 1 user=ann database=shop"));
  EXPECT_EQ(b.counters.of(Counter::database_pushes), 2U);
}

TEST(Postgres, midstream_and_holes) {
  PostgresBench b;
  EXPECT_THAT(b.play({client(1, query("select 1")), server(2, done("SELECT 1") + ready('I')),
                      client(3, query("select 2")), server_hole(100), client(5, query("select 3")),
                      server(6, done("SELECT 1") + ready('I')), client(7, query("select 4")),
                      server(8, done("SELECT 1") + ready('I'))},
                     /*from_start=*/false),
              ElementsAre("select ? -> frames 1-1 2-2 wait 1ms rows 1",
                          "select ? -> frames 3-3 0-0 resynchronised",
                          "select ? -> frames 5-5 6-6 wait 1ms rows 1 resynchronised",
                          "select ? -> frames 7-7 8-8 wait 1ms rows 1"));
}

TEST(Postgres, tells_no_half_a_name) {
  const auto told = [](std::size_t kept) {
    PostgresBench b;
    return b.play({client(1, kLogin.substr(0, kept)), client_cut(1, kLogin.size() - kept),
                   client(3, query("select 1"))});
  };
  const std::size_t user = kLogin.find("ann");
  const std::size_t database = kLogin.find("shop");
  const std::string line = "select ? -> frames 3-3 0-0";
  const std::string unpaired = " resynchronised";
  EXPECT_THAT(told(user + 1), ElementsAre(line + unpaired));
  EXPECT_THAT(told(user + 4), ElementsAre(line + " user=ann" + unpaired));
  EXPECT_THAT(told(database + 2), ElementsAre(line + " user=ann" + unpaired));
  EXPECT_THAT(told(database + 5), ElementsAre(line + " user=ann database=shop" + unpaired));
}

TEST(Postgres, stays_in_step_where_the_snaplen_cuts_a_message) {
  PostgresBench b;
  const std::string asked = query("select a from shop where id = 12345 and name = 'x'");
  const std::string row = message('D', std::string(400, 'x'));
  EXPECT_THAT(
      b.play({client(1, kLogin), server(2, ready('I')), client(3, asked.substr(0, 20)),
              client_cut(3, asked.size() - 20), server(5, row.substr(0, 40)), server_cut(5, 365),
              server(6, done("SELECT 1") + ready('I')), client(7, query("select 2")),
              client(8, query("select 3")), server(9, done("SELECT 12").substr(0, 13)),
              server_cut(9, 2), server(9, ready('I')), server(10, done("SELECT 1") + ready('I'))}),
      ElementsAre("startup -> frames 1-1 2-2 wait 1ms login 1 user=ann database=shop",
                  "select a from s -> frames 3-3 5-6 wait 2ms rows 1 user=ann database=shop "
                  "text-cut",
                  "select ? -> frames 7-7 9-9 wait 2ms user=ann database=shop",
                  "select ? -> frames 8-8 10-10 wait 2ms rows 1 user=ann database=shop "
                  "depth 2"));
}

// It is the one in the hole that is answered first, and who knows how many there were.
TEST(Postgres, a_lost_burst_does_not_shift_the_answers) {
  PostgresBench b;
  const std::string answer = done("SELECT 1") + ready('I');
  EXPECT_THAT(b.play({client(1, kLogin), server(2, ready('I')), client_hole(40),
                      client(4, query("select 3")), server(5, answer), server(6, answer),
                      client(7, query("select 4")), server(8, answer)}),
              ElementsAre("startup -> frames 1-1 2-2 wait 1ms login 1 user=ann database=shop",
                          "select ? -> frames 4-4 0-0 user=ann database=shop resynchronised",
                          "select ? -> frames 7-7 8-8 wait 1ms rows 1 user=ann database=shop "
                          "resynchronised"));
}

TEST(Postgres, behind_a_hole_a_name_may_be_anothers) {
  PostgresBench b;
  const std::string answer = done("SELECT 1") + ready('I');
  const std::string execute = bind("s") + kExecute + kSync;
  EXPECT_THAT(b.play({client(1, parse("s", "select a") + execute), server(2, answer),
                      client_hole(90), server(4, answer), client(5, execute), server(6, answer)},
                     /*from_start=*/false),
              ElementsAre("select a -> frames 1-1 2-2 wait 1ms rows 1",
                          "SELECT of \"s\" -> frames 5-5 6-6 wait 1ms rows 1 resynchronised"));
}

Script everything() {
  return {client(1, startup(80877103, "")),
          server(2, "N"),
          client(3, kLogin),
          server(4, message('R', "\0\0\0\3"s)),
          client(5, message('p', "pw\0"s)),
          server(6, message('R', "\0\0\0\0"s) + message('S', "a\0b\0"s) + ready('I')),
          client(7, parse("s", "select $tag$it's$tag$, E'\\'', 1e-5 /* x */") + kFlush),
          server(8, message('1', "")),
          client(9, bind("s") + kExecute + kSync + query("select 2")),
          server(10, message('2', "") + kRow + done("SELECT 1") + ready('T')),
          server(11, failed("42601") + ready('E')),
          client(12, message('C', "Ss\0"s) + kSync + message('X', "")),
          server(13, message('3', "") + ready('E'))};
}

TEST(Postgres, however_the_bytes_are_cut) {
  EXPECT_EQ(differs_when_cut<PostgresBench>(everything()), "");
}

TEST(Postgres, survives_damage) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    Script script = everything();
    for (int i = 0; i < 3; ++i) {
      std::string& bytes = script[random() % script.size()].bytes;
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (round % 2 == 0) script.insert(script.begin() + 6, server_hole(random() % 50));
    if (round % 3 == 0) script.insert(script.begin() + 8, client_hole(random() % 50));
    PostgresBench b;
    b.play(script);
    ASSERT_TRUE(b.all_given_back());
    ASSERT_EQ(std::get<0>(b.more).in_use(), 0U);
  }
}

TEST(Postgres, pairs_nothing_wrong_whatever_is_missing) {
  const Dialogue dialogue{{client(1, kLogin), server(2, message('R', "\0\0\0\0"s) + ready('I'))},
                          [](int n, std::mt19937&) { return query(fmt::format("select {}", n)); },
                          [](int, std::mt19937& random) {
                            std::string rows;
                            for (unsigned i = random() % 4; i > 0; --i)
                              rows += message('D', std::string(random() % 200, 'x'));
                            return rows + done("SELECT 1") + ready('I');
                          }};
  expect_no_wrong_pair<PostgresBench>(dialogue, 3, 4500);
}

}  // namespace
}  // namespace wirelag::testing
