// The wire format: names, compression, sections, and every way a message can be broken.
#include <gtest/gtest.h>

#include "messages.hpp"

namespace wirelag::dns_test {
namespace {

DnsMessage decoded(const Message& bytes) {
  DnsMessage m;
  EXPECT_TRUE(decode_message(bytes, m));
  return m;
}

std::string qname_of(const Writer& name) {
  const Message rest = name;
  Message bytes = Writer().header(1, kQuery, 1);
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  bytes.insert(bytes.end(), {0, 1, 0, 1});
  return std::string(decoded(bytes).qname.text());
}

TEST(DnsMessage, ReadsHeaderAndFirstQuestion) {
  const DnsMessage m = decoded(Writer()
                                   .header(0x3eae, 0x8583, 2, 0, 0, 0)
                                   .question("WWW.Example.COM", 28, 255)
                                   .question("second.example", 1));
  EXPECT_EQ(m.header.id, 0x3eae);
  EXPECT_TRUE(m.header.is_response());
  EXPECT_EQ(m.header.opcode(), 0);
  EXPECT_FALSE(m.header.truncated());
  EXPECT_EQ(m.rcode, 3);
  EXPECT_TRUE(m.has_question);
  EXPECT_EQ(m.qname.text(), "www.example.com");
  EXPECT_EQ(m.qtype, 28);
  EXPECT_EQ(m.qclass, 255);
  EXPECT_EQ(m.defect, DnsDefect::none);
}

TEST(DnsMessage, TakesTheUpperRcodeBitsFromEdns) {
  const DnsMessage m = decoded(Writer()
                                   .header(1, kResponse, 1, 0, 0, 1)
                                   .question("a.example", 1)
                                   .name(".")
                                   .u16(dns_type::opt)
                                   .u16(1232)
                                   .u32(0x01000000)
                                   .u16(0));
  EXPECT_EQ(m.rcode, 16);  // BADVERS
  EXPECT_EQ(m.header.rcode(), 0);
}

TEST(DnsMessage, BytesAfterTheLastRecordAreIgnored) {
  Message bytes = query(7, "a.example");
  bytes.insert(bytes.end(), 20, 0xff);
  EXPECT_EQ(decoded(bytes).defect, DnsDefect::none);
}

TEST(DnsMessage, CutAtEveryByteKeepsWhatIsBeforeTheCut) {
  const Message whole = response(9, "www.example.com", 1, 3);
  const std::size_t question_end = 12 + 17 + 4;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    DnsMessage m;
    const Message cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    ASSERT_EQ(decode_message(cut, m), n >= 12) << n;
    if (n < 12) continue;
    EXPECT_EQ(m.header.id, 9);
    EXPECT_EQ(m.has_question, n >= question_end) << n;
    EXPECT_EQ(m.qname.text(), n >= question_end ? "www.example.com" : "") << n;
    EXPECT_EQ(m.defect, DnsDefect::ended_early) << n;
  }
}

TEST(DnsName, RootIsADot) { EXPECT_EQ(qname_of(Writer().name(".")), "."); }

TEST(DnsName, LowerCaseAndEscapes) {
  EXPECT_EQ(qname_of(Writer().label("MiXed-1_").u8(0)), "mixed-1_");
  EXPECT_EQ(qname_of(Writer().label("a.b").label("c").u8(0)), "a\\046b.c");
  EXPECT_EQ(qname_of(Writer().label("\\").u8(0)), "\\092");
  EXPECT_EQ(qname_of(Writer().label(std::string_view("\0 \x7f\xff\n", 5)).u8(0)),
            "\\000\\032\\127\\255\\010");
}

TEST(DnsName, LongestNameOfOddBytesFits) {
  const std::string odd(63, '\xff');
  const std::string text =
      qname_of(Writer().label(odd).label(odd).label(odd).label(odd.substr(0, 61)).u8(0));
  EXPECT_EQ(text.size(), 250U * 4 + 3);
}

TEST(DnsName, MoreThan255OctetsIsRefused) {
  const std::string label(63, 'a');
  EXPECT_EQ(
      qname_of(Writer().label(label).label(label).label(label).label(label.substr(0, 62)).u8(0)),
      "");
}

TEST(DnsName, FollowsPointersBackwards) {
  // GIVEN example at 12, www.<pointer to 12> at 21 in a second question's place
  const Message bytes = Writer()
                            .header(1, kResponse, 1, 1)
                            .question("example", 1)  // 12..24
                            .label("www")
                            .pointer(12)
                            .record(dns_type::cname, 5, 2)
                            .pointer(25);
  const std::vector<DnsRecord> answers = decode_answers(bytes);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].name, "www.example");
  EXPECT_EQ(answers[0].data, "www.example");
}

TEST(DnsName, PointersThatLeadNowhereAreRefused) {
  const auto defect = [](const Writer& name) {
    const Message rest = name;
    Message bytes = Writer().header(1, kQuery, 1);
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    bytes.insert(bytes.end(), 30, 0);
    return decoded(bytes).defect;
  };
  EXPECT_EQ(defect(Writer().pointer(12)), DnsDefect::bad_name);             // itself
  EXPECT_EQ(defect(Writer().label("a").pointer(12)), DnsDefect::bad_name);  // its own run
  EXPECT_EQ(defect(Writer().label("a").pointer(14)), DnsDefect::bad_name);
  EXPECT_EQ(defect(Writer().pointer(0x3fff)), DnsDefect::ended_early);  // outside
  EXPECT_EQ(defect(Writer().pointer(0)), DnsDefect::bad_name);          // the header
  EXPECT_EQ(defect(Writer().u8(0x40).u8(1)), DnsDefect::bad_name);      // label type 01
  EXPECT_EQ(defect(Writer().u8(0x80).u8(1)), DnsDefect::bad_name);
}

TEST(DnsName, ForwardPointersAreFollowedAndSaid) {
  DnsName name;
  std::size_t end = 0;
  const Message bytes =
      Writer().header(1, kQuery, 1).label("www").pointer(20).u16(0).name("example");
  EXPECT_EQ(name.read(bytes, 12, end), DnsDefect::odd_pointer);
  EXPECT_EQ(name.text(), "www.example");
  EXPECT_EQ(end, 18U);
}

TEST(DnsName, AsManyPointersAsANameHasLabels) {
  const auto read = [](unsigned pointers) {
    Writer w;
    w.header(1, kQuery, 1);
    for (unsigned i = 0; i < pointers; ++i) w.pointer(12 + 2 * (i + 1));
    const Message bytes = w.name("a");
    DnsName name;
    std::size_t end = 0;
    return name.read(bytes, 12, end);
  };
  EXPECT_EQ(read(DnsName::kMaxPointers), DnsDefect::odd_pointer);
  EXPECT_EQ(read(DnsName::kMaxPointers + 1), DnsDefect::bad_name);
}

TEST(DnsName, TwoPointersThatChaseEachOtherEnd) {
  const Message bytes = Writer()
                            .header(1, kResponse, 1, 2)
                            .question("a", 1)
                            .pointer(31)  // 19: to the second record
                            .record(dns_type::a, 5, 0)
                            .pointer(19)  // 31
                            .record(dns_type::a, 5, 0);
  EXPECT_EQ(decoded(bytes).defect, DnsDefect::none) << "its names are not looked at";
  EXPECT_TRUE(decode_answers(bytes).empty());
}

TEST(DnsMessage, CountsThatPromiseTooMuchAreADefect) {
  EXPECT_EQ(decoded(Writer().header(1, kQuery, 65535).question("a.example", 1)).defect,
            DnsDefect::ended_early);
  EXPECT_EQ(decoded(Writer().header(1, kResponse, 1, 65535, 65535, 65535).question("a", 1)).defect,
            DnsDefect::ended_early);
}

}  // namespace
}  // namespace wirelag::dns_test
