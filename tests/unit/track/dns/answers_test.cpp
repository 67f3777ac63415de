// The answer section as text.
#include <gtest/gtest.h>

#include "messages.hpp"

namespace wirelag::dns_test {
namespace {

/// The text of one record of `type` with the given data, in a message whose question is
/// "a.example".
std::string data_text(unsigned type, const Writer& data) {
  const Message rdata = data;
  Message bytes = Writer()
                      .header(1, kResponse, 1, 1)
                      .question("a.example", type)
                      .pointer(12)
                      .record(type, 60, static_cast<unsigned>(rdata.size()));
  bytes.insert(bytes.end(), rdata.begin(), rdata.end());
  const std::vector<DnsRecord> answers = decode_answers(bytes);
  return answers.size() == 1 ? answers[0].data : "no record";
}

TEST(DnsAnswers, TextOfEachType) {
  EXPECT_EQ(data_text(1, Writer().u32(0x8bd9923e)), "139.217.146.62");
  EXPECT_EQ(data_text(28, Writer().u32(0x20010db8).u32(0).u32(0).u32(1)), "2001:db8::1");
  EXPECT_EQ(data_text(5, Writer().name("B.Example")), "b.example");
  EXPECT_EQ(data_text(2, Writer().label("ns").pointer(14)), "ns.example");
  EXPECT_EQ(data_text(12, Writer().name(".")), ".");
  EXPECT_EQ(data_text(15, Writer().u16(10).name("mail.example")), "10 mail.example");
  EXPECT_EQ(data_text(33, Writer().u16(1).u16(2).u16(5060).name("sip.example")),
            "1 2 5060 sip.example");
  EXPECT_EQ(data_text(16, Writer().label("v=spf1 -all").label("say \"hi\"\n")),
            "\"v=spf1 -all\" \"say \\\"hi\\\"\\010\"");
  EXPECT_EQ(
      data_text(
          6,
          Writer().name("ns.example").name("root.example").u32(2026).u32(2).u32(3).u32(4).u32(5)),
      "ns.example root.example 2026 2 3 4 5");
  EXPECT_EQ(data_text(65, Writer()
                              .u16(1)
                              .name(".")
                              .u16(1)
                              .u16(6)
                              .label("h2")
                              .label("h3")
                              .u16(3)
                              .u16(2)
                              .u16(8443)
                              .u16(4)
                              .u16(8)
                              .u32(0xc0000201)
                              .u32(0xc0000202)),
            "1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1,192.0.2.2");
  EXPECT_EQ(data_text(999, Writer().u8(0x0a).u8(0x0b)), "\\# 2 0a0b");
  EXPECT_EQ(data_text(999, Writer()), "\\# 0");
}

TEST(DnsAnswers, DataThatDoesNotFitItsTypeIsShownAsBytes) {
  EXPECT_EQ(data_text(1, Writer().u16(1)), "\\# 2 0001");
  EXPECT_EQ(data_text(28, Writer().u32(1)), "\\# 4 00000001");
  EXPECT_EQ(data_text(15, Writer().u8(1)), "\\# 1 01");
  EXPECT_EQ(data_text(5, Writer().label("unfinished")), "\\# 11 0a756e66696e6973686564");
  EXPECT_EQ(data_text(16, Writer().u8(200).bytes("ab")), "\\# 3 c86162");
  EXPECT_EQ(data_text(65, Writer().u8(0)), "\\# 1 00");
}

TEST(DnsAnswers, CnameChainInOrderWithNamesTypesAndTtls) {
  const Message bytes = Writer()
                            .header(1, kResponse, 1, 2, 0, 0)
                            .question("a.example", 1)
                            .pointer(12)
                            .record(5, 300, 4)
                            .label("b")
                            .u8(0xff)  // not a name: the record after it is found all the same
                            .u8(0)
                            .name("b")
                            .record(1, 20, 4)
                            .u32(0x01020304);
  const std::vector<DnsRecord> answers = decode_answers(bytes);
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[1], (DnsRecord{"b", 1, 1, 20, "1.2.3.4"}));
}

TEST(DnsAnswers, AuthorityAndAdditionalAreNotAnswers) {
  Message bytes = Writer().header(1, kResponse, 1, 1, 1, 1).question("a.example", 1);
  for (int i = 0; i < 3; ++i) {
    const Message record = Writer().address_record(0x01020300U + static_cast<unsigned>(i));
    bytes.insert(bytes.end(), record.begin(), record.end());
  }
  ASSERT_EQ(decode_answers(bytes).size(), 1U);
}

TEST(DnsAnswers, CutAtEveryByteGivesTheWholeRecordsBeforeTheCut) {
  const Message whole = response(1, "a.example", 1, 4);
  const std::size_t first_record = 12 + 11 + 4;
  for (std::size_t n = 0; n <= whole.size(); ++n) {
    const Message cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_EQ(decode_answers(cut).size(), n < first_record ? 0 : (n - first_record) / 16) << n;
  }
}

/// Those that the answers' texts say.
std::vector<IpAddress> addresses_by_text(Bytes message) {
  std::vector<IpAddress> out;
  for (const DnsRecord& record : decode_answers(message)) {
    IpAddress ip;
    const bool of_address = record.type == dns_type::a || record.type == dns_type::aaaa;
    if (of_address && parse_ip(record.data, ip)) out.push_back(ip);
  }
  return out;
}

TEST(DnsAnswers, AddressesAreThoseOfTheTexts) {
  const Message whole = Writer()
                            .header(1, kResponse, 1, 6)
                            .question("a.example", 1)
                            .pointer(12)
                            .record(5, 300, 3)
                            .label("b")
                            .u8(0)
                            .pointer(12)
                            .record(1, 20, 4)
                            .u32(0x01020304)
                            .pointer(12)
                            .record(1, 20, 2)  // no address
                            .u16(0x0102)
                            .pointer(12)
                            .record(28, 20, 16)
                            .u32(0x20010db8)
                            .u32(0)
                            .u32(0)
                            .u32(1)
                            .pointer(12)
                            .record(28, 20, 16)  // IPv4-mapped
                            .u32(0)
                            .u32(0)
                            .u32(0xffff)
                            .u32(0xc0000201)
                            .pointer(12)
                            .record(28, 20, 4)  // no address
                            .u32(0x01020304);
  ASSERT_EQ(decode_addresses(whole).size(), 3U);
  for (std::size_t n = 0; n <= whole.size(); ++n) {
    const Bytes cut = Bytes(whole).first(n);
    EXPECT_EQ(decode_addresses(cut), addresses_by_text(cut)) << n;
  }
}

TEST(DnsAnswers, HintsOfHttpsRecordsAreAddresses) {
  const auto message = [](unsigned type, unsigned hint_bytes) -> Message {
    return Writer()
        .header(1, kResponse, 1, 1)
        .question("a.example", type)
        .pointer(12)
        .record(type, 20, 38)
        .u16(1)
        .name(".")
        .u16(1)
        .u16(3)
        .label("h2")
        .u16(4)
        .u16(hint_bytes)
        .u32(0x01020304)
        .u16(6)
        .u16(16)
        .u32(0x20010db8)
        .u32(0)
        .u32(0)
        .u32(1);
  };
  const std::vector<IpAddress> found = decode_addresses(message(65, 4));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].text(), "1.2.3.4");
  EXPECT_EQ(found[1].text(), "2001:db8::1");
  EXPECT_TRUE(decode_addresses(message(65, 5)).empty());  // its parameters do not add up
  EXPECT_TRUE(decode_addresses(message(64, 4)).empty());  // of another service than the web
  const Message whole = message(65, 4);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_TRUE(decode_addresses(Bytes(whole).first(n)).empty()) << n;
  }
}

TEST(DnsNames, NumbersHaveNames) {
  EXPECT_EQ(type_name(1), "A");
  EXPECT_EQ(type_name(65), "HTTPS");
  EXPECT_EQ(type_name(65280), "TYPE65280");
  EXPECT_EQ(rcode_name(0), "NOERROR");
  EXPECT_EQ(rcode_name(16), "BADVERS");
  EXPECT_EQ(rcode_name(4000), "RCODE4000");
}

}  // namespace
}  // namespace wirelag::dns_test
