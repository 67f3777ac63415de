// Names of numbers: IANA registry "Domain Name System (DNS) Parameters"; and of the enumerators.
#include <fmt/format.h>

#include <wirelag/track/dns/message.hpp>
#include <wirelag/track/transaction.hpp>

namespace wirelag {
namespace {

struct NumberName {
  std::uint16_t number;
  const char* name;
};

constexpr NumberName kTypes[] = {
    {1, "A"},      {2, "NS"},       {5, "CNAME"},       {6, "SOA"},    {12, "PTR"},
    {13, "HINFO"}, {15, "MX"},      {16, "TXT"},        {17, "RP"},    {18, "AFSDB"},
    {24, "SIG"},   {25, "KEY"},     {28, "AAAA"},       {29, "LOC"},   {33, "SRV"},
    {35, "NAPTR"}, {37, "CERT"},    {39, "DNAME"},      {41, "OPT"},   {42, "APL"},
    {43, "DS"},    {44, "SSHFP"},   {46, "RRSIG"},      {47, "NSEC"},  {48, "DNSKEY"},
    {49, "DHCID"}, {50, "NSEC3"},   {51, "NSEC3PARAM"}, {52, "TLSA"},  {53, "SMIMEA"},
    {59, "CDS"},   {60, "CDNSKEY"}, {61, "OPENPGPKEY"}, {62, "CSYNC"}, {63, "ZONEMD"},
    {64, "SVCB"},  {65, "HTTPS"},   {99, "SPF"},        {249, "TKEY"}, {250, "TSIG"},
    {251, "IXFR"}, {252, "AXFR"},   {255, "ANY"},       {256, "URI"},  {257, "CAA"},
};

constexpr NumberName kRcodes[] = {
    {0, "NOERROR"},  {1, "FORMERR"},    {2, "SERVFAIL"}, {3, "NXDOMAIN"},  {4, "NOTIMP"},
    {5, "REFUSED"},  {6, "YXDOMAIN"},   {7, "YXRRSET"},  {8, "NXRRSET"},   {9, "NOTAUTH"},
    {10, "NOTZONE"}, {11, "DSOTYPENI"}, {16, "BADVERS"}, {17, "BADKEY"},   {18, "BADTIME"},
    {19, "BADMODE"}, {20, "BADNAME"},   {21, "BADALG"},  {22, "BADTRUNC"}, {23, "BADCOOKIE"},
};

template <std::size_t N>
std::string look_up(const NumberName (&table)[N], std::uint16_t number,
                    std::string_view otherwise) {
  for (const NumberName& entry : table) {
    if (entry.number == number) return entry.name;
  }
  return fmt::format("{}{}", otherwise, number);
}

}  // namespace

std::string type_name(std::uint16_t type) { return look_up(kTypes, type, "TYPE"); }
std::string rcode_name(std::uint16_t rcode) { return look_up(kRcodes, rcode, "RCODE"); }

std::string_view name(DnsTransport t) { return t == DnsTransport::udp ? "udp" : "tcp"; }

std::string_view name(DnsOutcome o) {
  switch (o) {
    case DnsOutcome::answered: return "answered";
    case DnsOutcome::nodata: return "nodata";
    case DnsOutcome::nxdomain: return "nxdomain";
    case DnsOutcome::failed: return "failed";
    case DnsOutcome::truncated: return "truncated";
    case DnsOutcome::unanswered: return "unanswered";
    case DnsOutcome::not_visible: return "not_visible";
    case DnsOutcome::response_only: return "response_only";
  }
  return "unknown";
}

}  // namespace wirelag
