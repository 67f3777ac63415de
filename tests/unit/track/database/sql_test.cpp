// SQL fingerprints: the same for the same statement with other values, whatever way it is cut.
#include <gtest/gtest.h>

#include <wirelag/track/database/sql.hpp>

namespace wirelag {
namespace {

using enum SqlFingerprint::Dialect;

std::string fingerprint(std::string_view sql, SqlFingerprint::Dialect dialect,
                        std::size_t piece = SIZE_MAX) {
  Fingerprint out;
  SqlFingerprint reader(dialect);
  for (std::size_t at = 0; at < sql.size(); at += std::min(piece, sql.size() - at)) {
    reader.feed(out, sql.substr(at, piece));
  }
  reader.end(out);
  return std::string(out.view());
}

struct Case {
  SqlFingerprint::Dialect dialect;
  std::string_view sql;
  std::string_view expected;
};

constexpr Case kCases[] = {
    {postgres, "SELECT  a,b\n FROM t1 WHERE id = 42 ;", "select a, b from t1 where id = ?"},
    {postgres, "select 1.5e-3, -7, 0x1F, .5", "select ?, -?, .?"},
    {postgres, "select * from t where id IN ( 1, 2 ,3)", "select * from t where id in (?)"},
    {postgres, "insert into t values (1,'a'), (2,'b'),(3,NULL)",
     "insert into t values (?), (?, null)"},
    {postgres, "select 'it''s', E'\\'x', U&'x'", "select ?, u&?"},
    {postgres, "select \"Id\" from \"T\"\"x\"", "select \"Id\" from \"T\"\"x\""},
    {postgres, "select $1, $2::int, $$a'b$$, $t$ $$ $t$", "select ?::int, ?"},
    {postgres, "/* a /* nested */ 1 */ select 1 -- end", "select ?"},
    {postgres, "select a-1, b/2, c--2\n+3", "select a-?, b/?, c +?"},
    {postgres, "begin; select 1;", "begin; select ?"},
    {postgres, "select 'never ends", "select ?"},
    {mysql, "SELECT `Id`, \"x\", 'a\\'b' FROM t # end", "select `Id`, ? from t"},
    {mysql, "/* c */ SELECT a FROM t WHERE b = ? LIMIT 5, 10",
     "select a from t where b = ? limit ?"},
    {mysql, "select col1, t2.c3 from a_b$c", "select col1, t2.c3 from a_b$c"},
};

TEST(SqlFingerprint, strips_what_varies) {
  for (const Case& c : kCases) EXPECT_EQ(fingerprint(c.sql, c.dialect), c.expected);
}

TEST(SqlFingerprint, however_it_is_cut) {
  for (const Case& c : kCases) {
    for (std::size_t piece = 1; piece < 6; ++piece) {
      EXPECT_EQ(fingerprint(c.sql, c.dialect, piece), c.expected) << piece;
    }
  }
}

TEST(SqlFingerprint, is_bounded_and_a_long_list_is_short) {
  std::string list = "select 1";
  for (int i = 0; i < 100'000; ++i) list += ", " + std::to_string(i);
  EXPECT_EQ(fingerprint(list, postgres), "select ?");
  EXPECT_EQ(fingerprint("select " + std::string(5000, 'x'), postgres).size(), kFingerprintBytes);
}

}  // namespace
}  // namespace wirelag
