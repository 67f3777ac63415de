// MySQL: logins, answers of every shape, prepared statements by number, big packets, holes.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/track/mysql/tracker.hpp>

#include "conversation.hpp"
#include "lost_segments.hpp"

namespace wirelag::testing {
namespace {

using namespace std::string_literals;
using ::testing::Contains;
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
using MysqlBench = Bench<MysqlTracker, Statements>;

std::string number(std::uint64_t n, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(n >> (8 * i));
  return out;
}
std::string packet(int sequence, const std::string& payload) {
  return number(payload.size(), 3) + static_cast<char>(sequence) + payload;
}
constexpr std::uint32_t kFlags = 0x8 | 0x200 | 0x8000;  // database, protocol 4.1, secret's length
constexpr std::uint32_t kDeprecateEof = 1U << 24;

std::string greeting(std::uint32_t flags) {
  return packet(0, "\x0a" + "8.0.36\0"s + number(7, 4) + "saltsalt\0"s + number(flags & 0xffff, 2) +
                       "\xff" + number(2, 2) + number(flags >> 16, 2) + std::string(40, '\0'));
}
std::string login(std::uint32_t flags) {
  return packet(1, number(flags, 4) + std::string(28, '\0') + "ann\0"s + "\x06s3cret" + "shop\0"s +
                       "mysql_native_password\0"s);
}
std::string ok(int sequence, int rows = 0, int status = 2) {
  return packet(sequence, "\0"s + static_cast<char>(rows) + "\0"s + number(status, 2) + "\0\0"s);
}
std::string eof(int sequence, int status = 2) {
  return packet(sequence, "\xfe" + "\0\0"s + number(status, 2));
}
std::string ok_eof(int sequence, int status = 2) {
  return packet(sequence, "\xfe" + "\0\0"s + number(status, 2) + "\0\0"s);
}
std::string error(int sequence, int code) {
  return packet(sequence, "\xff" + number(code, 2) + "#42S02No such table");
}
std::string command(int code, const std::string& rest = "") {
  return packet(0, static_cast<char>(code) + rest);
}
std::string query(const std::string& sql) { return command(3, sql); }
const std::string kColumn = "\3def\0\0\0\1a\0\x0c\x3f\0\1\0\0\0\x08\x81\0\0\0\0"s;

Script logged_in(std::uint32_t flags, const Script& more) {
  Script out = {server(1, greeting(flags)), client(2, login(flags)), server(3, ok(2))};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}
const char* const kLogin = "login -> frames 2-2 3-3 wait 1ms login 1 user=ann database=shop";

TEST(Mysql, logs_in_and_asks) {
  MysqlBench b;
  EXPECT_THAT(
      b.play(
          logged_in(kFlags, {client(4, query("SELECT * FROM t WHERE a = 's3cret' AND b IN (1,2)")),
                             server(6, packet(1, "\1") + packet(2, kColumn) + eof(3) +
                                           packet(4, "\1x") + packet(5, "\1y") + eof(6)),
                             client(7, query("UPDATE t SET a=1")), server(8, ok(1, 5, 1)),
                             client(9, query("SELECT oops")), server(10, error(1, 1146)),
                             client(11, command(14)), server(12, ok(1)), client(13, command(1))})),
      ElementsAre(kLogin,
                  "select * from t where a = ? and b in (?) -> frames 4-4 6-6 wait 2ms rows 2 "
                  "user=ann database=shop",
                  "update t set a=? -> frames 7-7 8-8 wait 1ms rows 5 in-transaction user=ann "
                  "database=shop",
                  "select oops -> frames 9-9 10-10 wait 1ms error 1146 user=ann database=shop",
                  "COM_PING -> frames 11-11 12-12 wait 1ms user=ann database=shop",
                  "COM_QUIT -> frames 13-13 0-0 user=ann database=shop no-reply"));
  EXPECT_THAT(b.sink.texts, Not(HasSubstr("s3cret")));
  EXPECT_TRUE(b.all_given_back());
}

TEST(Mysql, what_mariadb_says_of_its_progress_is_no_error_and_no_answer) {
  const auto progress = [](int sequence) {
    return packet(sequence, "\xff\xff\xff\x01\x02\x03"s + number(50000, 3) +
                                "\x07"
                                "copying");
  };
  MysqlBench b;
  EXPECT_THAT(
      b.play(logged_in(kFlags, {client(4, query("ALTER TABLE t ADD b INT")), server(5, progress(1)),
                                server(9, progress(2)), server(12, ok(3, 7)),
                                client(13, query("SELECT oops")), server(14, error(1, 1146))})),
      ElementsAre(kLogin,
                  "alter table t add b int -> frames 4-4 12-12 wait 8ms rows 7 user=ann "
                  "database=shop",
                  "select oops -> frames 13-13 14-14 wait 1ms error 1146 user=ann "
                  "database=shop"));
  EXPECT_TRUE(b.all_given_back());
}

TEST(Mysql, results_without_eof_packets_and_several_of_them) {
  MysqlBench b;
  EXPECT_THAT(b.play(logged_in(kFlags | kDeprecateEof,
                               {client(4, query("call p(); select 1")),
                                server(5, packet(1, "\1") + packet(2, kColumn) + packet(3, "\1x")),
                                server(6, ok_eof(4, 2 | 8) + packet(5, "\1") + packet(6, kColumn)),
                                server(7, ok_eof(7, 2 | 8) + ok(8)), client(9, query("select 2")),
                                server(10, packet(1, "\1") + packet(2, kColumn) + ok_eof(3))})),
              ElementsAre(kLogin,
                          "call p(); select ? -> frames 4-4 5-7 wait 1ms rows 1 user=ann "
                          "database=shop",
                          "select ? -> frames 9-9 10-10 wait 1ms rows 0 user=ann database=shop"));
}

Script prepared() {
  const std::string one = number(1, 4);
  return logged_in(
      kFlags,
      {client(4, command(0x16, "SELECT a FROM t WHERE id = ? AND b = 7")),
       server(5, packet(1, "\0"s + one + number(1, 2) + number(1, 2) + "\0\0\0"s) +
                     packet(2, kColumn) + eof(3) + packet(4, kColumn) + eof(5)),
       client(6, command(0x17, one + "\0\1\0\0\0"s)),
       server(7, packet(1, "\1") + packet(2, kColumn) + eof(3) + packet(4, "\0\0\1x"s) + eof(5)),
       client(8, command(0x18, one + "\0\0data"s)), client(9, command(0x1a, one)),
       server(10, ok(1)), client(11, command(0x19, one) + command(0x17, one + "\0"s)),
       server(12, error(1, 1243))});
}

TEST(Mysql, follows_prepared_statements) {
  MysqlBench b;
  const std::string who = " user=ann database=shop";
  const std::string sql = "select a from t where id = ? and b = ?";
  EXPECT_THAT(
      b.play(prepared()),
      ElementsAre(kLogin, sql + " -> frames 4-4 5-5 wait 1ms" + who,
                  sql + " -> frames 6-6 7-7 wait 1ms rows 1" + who,
                  sql + " -> frames 8-8 0-0" + who + " no-reply",
                  sql + " -> frames 9-9 10-10 wait 1ms" + who,
                  sql + " -> frames 11-11 0-0" + who + " no-reply",
                  "COM_STMT_EXECUTE of \"1\" -> frames 11-11 12-12 wait 1ms error 1243" + who));
  EXPECT_EQ(std::get<0>(b.more).in_use(), 0U);
}

/// What MariaDB's connectors send at once: the old statement closed, the new one prepared, and -1
/// executed, which is whatever was prepared last.
Script prepared_and_executed_at_once() {
  const std::string one = number(1, 4), two = number(2, 4), last = number(0xffffffff, 4);
  const auto answer = [](const std::string& id) {
    return packet(1, "\0"s + id + number(1, 2) + number(0, 2) + "\0\0\0"s) + packet(2, kColumn);
  };
  const std::string rows = packet(1, "\1") + packet(2, kColumn) + packet(3, "\0\0\1x"s) + ok_eof(4);
  const std::string run = command(0x17, last + "\0\1\0\0\0"s);
  return {client(4, command(0x16, "SELECT a FROM t") + run),
          server(5, answer(one) + rows),
          client(6, command(0x19, one) + command(0x16, "SELECT b FROM u WHERE c = 7") + run),
          server(7, answer(two) + rows),
          client(8, command(0xfa, last + "\0\1"s)),
          server(9, rows),
          client(10, query("select 1")),
          server(11, ok(1)),
          client(12, run),
          server(13, error(1, 1243))};
}

TEST(Mysql, executes_what_was_prepared_last) {
  MysqlBench b;
  const std::string who = " user=ann database=shop";
  const std::vector<std::string> expected = {
      kLogin,
      "select a from t -> frames 4-4 5-5 wait 1ms" + who,
      "select a from t -> frames 4-4 5-5 wait 1ms rows 1" + who + " depth 2",
      "select a from t -> frames 6-6 0-0" + who + " no-reply",
      "select b from u where c = ? -> frames 6-6 7-7 wait 1ms" + who,
      "select b from u where c = ? -> frames 6-6 7-7 wait 1ms rows 1" + who + " depth 2",
      "select b from u where c = ? -> frames 8-8 9-9 wait 1ms rows 1" + who,
      "select ? -> frames 10-10 11-11 wait 1ms rows 0" + who,
      "COM_STMT_EXECUTE of \"-1\" -> frames 12-12 13-13 wait 1ms error 1243" + who};
  EXPECT_THAT(b.play(logged_in(kFlags | kDeprecateEof, prepared_and_executed_at_once())),
              ::testing::ElementsAreArray(expected));
  EXPECT_TRUE(b.all_given_back());
}

TEST(Mysql, an_answer_that_follows_definitions_without_eof_is_the_next_ones) {
  MysqlBench b;  // no login was seen: whether EOF packets come shows here first
  Script script = prepared_and_executed_at_once();
  script = {client(2, command(14)), server(3, ok(1)), script[0], script[1]};
  EXPECT_THAT(b.play(script, false),
              ElementsAre("COM_PING -> frames 2-2 3-3 wait 1ms",
                          "select a from t -> frames 4-4 5-5 wait 1ms",
                          "select a from t -> frames 4-4 5-5 wait 1ms rows 1 depth 2"));
}

TEST(Mysql, authentication_in_several_rounds) {
  MysqlBench b;
  EXPECT_THAT(
      b.play({server(1, greeting(kFlags)), client(2, login(kFlags)),
              server(3, packet(2, "\xfe" + "mysql_native_password\0salt\0"s)),
              client(4, packet(3, "s3cret")), server(5, error(4, 1045))}),
      ElementsAre("login -> frames 2-2 3-5 wait 1ms error 1045 login 2 user=ann database=shop"));
  MysqlBench fast;
  EXPECT_THAT(fast.play({server(1, greeting(kFlags)), client(2, login(kFlags)),
                         server(3, packet(2, "\1\3")), server(4, ok(3)),
                         client(5, command(0x11, "bob\0"s + "\6s3cret" + "other\0"s)),
                         server(6, packet(1, "\xfe" + "x\0y\0"s)), client(7, packet(2, "s3cret")),
                         server(8, ok(3)), client(9, command(2, "third")), server(10, ok(1))}),
              ElementsAre("login -> frames 2-2 3-4 wait 1ms login 1 user=ann database=shop",
                          "COM_CHANGE_USER -> frames 5-5 6-8 wait 1ms login 2",
                          "COM_INIT_DB -> frames 9-9 10-10 wait 1ms database=third"));
  EXPECT_THAT(fast.sink.texts, Not(HasSubstr("s3cret")));
}

TEST(Mysql, encrypted_and_compressed_connections_are_let_go) {
  MysqlBench b;
  auto h = b.tracker.open({1, {}, {}});
  b.step(h, server(1, greeting(kFlags | 0x800)));
  b.step(h, client(2, packet(1, number(kFlags | 0x800, 4) + std::string(28, '\0'))));
  EXPECT_EQ(b.tracker.interest(h), StreamInterest::other_protocol);
  b.tracker.close(h);
  h = b.tracker.open({2, {}, {}});
  for (const Step& s : Script{server(1, greeting(kFlags | 0x20)), client(2, login(kFlags | 0x20)),
                              server(3, ok(2))}) {
    b.step(h, s);
  }
  EXPECT_EQ(b.tracker.interest(h), StreamInterest::nothing);
  b.tracker.close(h);
  EXPECT_EQ(b.counters.of(Counter::database_not_followed), 2U);
}

TEST(Mysql, a_file_and_packets_of_16_mib) {
  MysqlBench b;
  const std::string big(0xffffff, 'x');
  EXPECT_THAT(b.play(logged_in(kFlags, {client(4, query("LOAD DATA LOCAL INFILE 'f' INTO TABLE t")),
                                        server(5, packet(1,
                                                         "\xfb"
                                                         "f")),
                                        client(6, packet(2, "1\n2\n")), client(7, packet(3, "")),
                                        server(8, ok(4, 2)), client(9, query("select b")),
                                        server(10, packet(1, "\1") + packet(2, kColumn) + eof(3) +
                                                       packet(4, big) + packet(5, "x") + eof(6))})),
              ElementsAre(kLogin,
                          "load data local infile ? into table t -> frames 4-4 5-8 wait 1ms rows 2 "
                          "user=ann database=shop",
                          "select b -> frames 9-9 10-10 wait 1ms rows 1 user=ann database=shop"));
}

TEST(Mysql, midstream_and_holes) {
  MysqlBench b;
  const std::string one_row = packet(1, "\1") + packet(2, kColumn) + ok_eof(3);
  EXPECT_THAT(b.play({client(1, query("select 1")), server(2, one_row),
                      client(3, query("select 2")), server_hole(100), client(5, query("select 3")),
                      server(6, one_row), client(7, query("select 4")), server(8, one_row)},
                     /*from_start=*/false),
              ElementsAre("select ? -> frames 1-1 2-2 wait 1ms rows 0",
                          "select ? -> frames 3-3 0-0 resynchronised",
                          "select ? -> frames 5-5 6-6 wait 1ms rows 0 resynchronised",
                          "select ? -> frames 7-7 8-8 wait 1ms rows 0"));
}

TEST(Mysql, stays_in_step_where_the_snaplen_cuts_a_packet) {
  MysqlBench b;
  const std::string asked = query("select a from shop where id = 12345 and name = 'x'");
  const std::string row = packet(4, std::string(400, 'x'));
  const std::string columns = packet(1, "\1") + packet(2, kColumn) + eof(3);
  EXPECT_THAT(
      b.play(logged_in(kFlags, {client(11, asked.substr(0, 20)), client_cut(11, asked.size() - 20),
                                server(13, columns), server(13, row.substr(0, 40)),
                                server_cut(13, 364), server(14, eof(5)),
                                client(15, query("select b")), server(16, columns + eof(4))})),
      Contains("select a from s -> frames 11-11 13-14 wait 2ms rows 1 user=ann "
               "database=shop text-cut"));
  EXPECT_EQ(b.sink.lines.back(),
            "select b -> frames 15-15 16-16 wait 1ms rows 0 user=ann database=shop");
}

TEST(Mysql, a_lost_command_does_not_shift_the_answers) {
  MysqlBench b;
  const std::string one_row = packet(1, "\1") + packet(2, kColumn) + ok_eof(3);
  EXPECT_THAT(b.play({client(1, query("select 1")), server(2, one_row), client_hole(20),
                      client(4, query("select 3")), server(5, one_row), server(6, one_row),
                      client(7, query("select 4")), server(8, one_row)},
                     /*from_start=*/false),
              ElementsAre("select ? -> frames 1-1 2-2 wait 1ms rows 0",
                          "select ? -> frames 4-4 0-0 resynchronised",
                          "select ? -> frames 7-7 8-8 wait 1ms rows 0 resynchronised"));
}

TEST(Mysql, however_the_bytes_are_cut) {
  EXPECT_EQ(differs_when_cut<MysqlBench>(prepared()), "");
  const Script at_once = logged_in(kFlags | kDeprecateEof, prepared_and_executed_at_once());
  EXPECT_EQ(differs_when_cut<MysqlBench>(at_once), "");
}

TEST(Mysql, survives_damage) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    Script script = prepared();
    for (int i = 0; i < 3; ++i) {
      std::string& bytes = script[random() % script.size()].bytes;
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (round % 2 == 0) script.insert(script.begin() + 4, server_hole(random() % 50));
    if (round % 3 == 0) script.insert(script.begin() + 6, client_hole(random() % 50));
    MysqlBench b;
    b.play(script);
    ASSERT_TRUE(b.all_given_back());
    ASSERT_EQ(std::get<0>(b.more).in_use(), 0U);
  }
}

TEST(Mysql, pairs_nothing_wrong_whatever_is_missing) {
  const Dialogue dialogue{
      logged_in(kFlags, {}),
      [](int n, std::mt19937&) { return query(fmt::format("update t set a = {}", n)); },
      [](int, std::mt19937& random) { return random() % 4 == 0 ? error(1, 1064) : ok(1, 1); }};
  expect_no_wrong_pair<MysqlBench>(dialogue, 3, 4000);
}

}  // namespace
}  // namespace wirelag::testing
