#include "format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "table.hpp"

namespace wirelag::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Numbers, MillisecondsAreRoundedToThreeDecimalsOnBothSidesOfZero) {
  EXPECT_EQ(ms_number(6'061'628), "6.062");
  EXPECT_EQ(ms_number(499), "0.000");
  EXPECT_EQ(ms_number(500), "0.001");
  EXPECT_EQ(ms_number(-74'400), "-0.074");
  EXPECT_EQ(ms_number(-400), "0.000");
  EXPECT_EQ(ms_number(999'999'999), "1000.000");
}

TEST(Numbers, UnknownIsADashAndNeverZero) {
  EXPECT_EQ(ms_number(kUnknownNs), "-");
  EXPECT_EQ(duration(kUnknownNs), "-");
  EXPECT_EQ(utc(kUnknownNs), "-");
  EXPECT_EQ(share(0, 0), "-");
  EXPECT_EQ(frames(FrameSpan{}), "-");
}

TEST(Numbers, VeryLongOnesTurnToHoursAndDays) {
  EXPECT_EQ(rounded(7199 * kSecondNs), "7199 s");
  EXPECT_EQ(rounded(9000 * kSecondNs), "2.5 h");
  EXPECT_EQ(rounded(86400 * kSecondNs * 12), "12 days");
}

TEST(Numbers, LongDurationsTurnToSeconds) {
  EXPECT_EQ(duration(9'999'999'000), "9999.999 ms");
  EXPECT_EQ(duration(10'000'000'000), "10.000 s");
}

TEST(Numbers, TimeIsUtcWithNanoseconds) {
  EXPECT_EQ(utc(1'523'420'000'000'000'001), "2018-04-11 04:13:20.000000001 UTC");
  EXPECT_EQ(utc(-1), "1969-12-31 23:59:59.999999999 UTC");
}

TEST(Numbers, SizesKeepTheirUnit) {
  EXPECT_EQ(bytes(9999), "9999 B");
  EXPECT_EQ(bytes(148'850), "148.8 kB");
  EXPECT_EQ(bytes(999'960), "1.0 MB");
}

TEST(SafeText, NothingOfATerminalEscapeSurvives) {
  const std::string hostile = "/a\x1b[2J\r\n\x07\x9b\x7f\xc3\xa9\t";
  EXPECT_EQ(safe(hostile), "/a\\x1b[2J\\x0d\\x0a\\x07\\x9b\\x7f\\xc3\\xa9\\x09");
}

TEST(Utf8Text, WellFormedStaysAndTheRestBecomesVisible) {
  EXPECT_EQ(utf8("caf\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80"),
            "caf\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80");
  EXPECT_EQ(utf8("\xff\xc3"), "\\xff\\xc3");                    // never a lead byte; cut short
  EXPECT_EQ(utf8("\xc0\xaf"), "\\xc0\\xaf");                    // overlong '/'
  EXPECT_EQ(utf8("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");           // overlong
  EXPECT_EQ(utf8("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(utf8("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
}

TEST(Clip, KeepsTheWidthItWasGiven) {
  EXPECT_EQ(clip_end("abcdefgh", 8), "abcdefgh");
  EXPECT_EQ(clip_end("abcdefghi", 8), "abcdef..");
  EXPECT_EQ(clip_middle("abcdefghi", 8), "abc..ghi");
  EXPECT_EQ(clip_middle("abcdefghi", 2), "..");
}

TEST(Clip, AroundAPlaceShowsItsWord) {
  const std::string_view text = "EXECUTE s1 of 10.0.0.1:40001 (text not known)";
  EXPECT_EQ(clip_around(text, text.size(), 27), text);
  EXPECT_EQ(clip_around(text, 30, 27), "EXECUTE s1..10.0.0.1:40001 (..");
  EXPECT_EQ(clip_around(text, 12, 27), "EXEC..1 (t..");  // the word alone is too long
  EXPECT_EQ(clip_around(text, 30, text.size() - 1), "EXECUTE s1..1 (text not known)");
  for (std::size_t width = 0; width < text.size(); ++width) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      EXPECT_LE(clip_around(text, width, at).size(), width) << width << " " << at;
    }
  }
}

TEST(TableLayout, ColumnsLineUpAndNumbersStandRight) {
  Table table({{"id", Align::right}, {"name", Align::left}, {"ms", Align::right}}, 1);
  table.row({"1", "short", "6.062"});
  table.row({"12", "a longer name", "100.000"});
  std::string out;
  table.print(out);
  EXPECT_EQ(out,
            " id  name                ms\n"
            "  1  short            6.062\n"
            " 12  a longer name  100.000\n");
}

TEST(TableLayout, AWideTableShrinksOnlyWhatMayShrink) {
  Table table(
      {{"frames", Align::left}, {"target", Align::left, Shrink::end, 10}, {"ms", Align::right}}, 0);
  table.row({"1-2", std::string(300, 'x'), "12345.678"});
  std::string out;
  table.print(out);
  EXPECT_THAT(out, HasSubstr("12345.678"));
  EXPECT_THAT(out, HasSubstr("x.."));
  for (std::size_t start = 0; start < out.size();) {
    const std::size_t end = out.find('\n', start);
    EXPECT_LE(end - start, kWidth);
    start = end + 1;
  }
}

TEST(TableLayout, CellsThatWouldBeClippedAlikeShowWhereTheyDiffer) {
  // GIVEN the same name on two connections, and a statement like no other
  Table table({{"n", Align::right}, {"statement", Align::left, Shrink::end, 10}}, 0);
  const std::string name = "COM_STMT_EXECUTE " + std::string(160, '1') + " of 10.0.0.1:";
  table.row({"1", name + "40000 (text not known)"});
  table.row({"2", name + "40001 (text not known)"});
  table.row({"2", name + "40001 (text not known)"});
  table.row({"3", "SELECT " + std::string(100, 'x')});
  std::string out;
  table.print(out);
  EXPECT_THAT(out, HasSubstr("1 of 10.0.0.1:40000 (text not known)\n"));
  EXPECT_THAT(out, HasSubstr("1 of 10.0.0.1:40001 (text not known)\n"));
  EXPECT_THAT(out, HasSubstr("SELECT xxx"));
}

TEST(TableLayout, AColumnThatSaysNothingIsLeftOut) {
  Table table({{"a", Align::left}, {"note", Align::left}, {"b", Align::left}}, 0);
  table.row({"1", "", "2"});
  table.row({"3", "-", "4"});
  table.drop_if_empty(1);
  std::string out;
  table.print(out);
  EXPECT_EQ(out, "a  b\n1  2\n3  4\n");
}

TEST(Paragraph, WrapsUnderItsLabelAndBreaksAWordThatIsTooLong) {
  std::string out;
  paragraph(out, "why", std::string(70, 'a') + " " + std::string(250, 'b'), 10, 2);
  EXPECT_EQ(out, "  why     " + std::string(70, 'a') + "\n" +              //
                     std::string(10, ' ') + std::string(90, 'b') + "\n" +  //
                     std::string(10, ' ') + std::string(90, 'b') + "\n" +  //
                     std::string(10, ' ') + std::string(70, 'b') + "\n");
}

}  // namespace
}  // namespace wirelag::report
