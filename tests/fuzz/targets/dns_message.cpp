// A DNS message: the data path's reader and the control path's, which must agree on what is there.
#include <wirelag/track/dns/message.hpp>

#include "fuzz/input.hpp"
#include "hostile/require.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  static DnsMessage message;
  const Bytes bytes(data, size);
  const bool has_header = decode_message(bytes, message);
  WIRELAG_REQUIRE(has_header == (size >= DnsHeader::kSize));
  const std::vector<DnsRecord> answers = decode_answers(bytes);
  if (!has_header) {
    WIRELAG_REQUIRE(answers.empty());
    return 0;
  }
  WIRELAG_REQUIRE(message.qname.text().size() <= DnsName::kMaxText);
  WIRELAG_REQUIRE(message.has_question || message.qname.text().empty());
  WIRELAG_REQUIRE(answers.size() <= message.header.ancount);
  for (const char c : message.qname.text()) WIRELAG_REQUIRE(c > ' ' && c < 0x7f);
  for (const DnsRecord& record : answers) {
    WIRELAG_REQUIRE(!record.name.empty());
    WIRELAG_REQUIRE(!type_name(record.type).empty());
  }
  return 0;
}
